/** Graded questions by hand. */
import type { QuestionRecord } from '../../src/eval/question-record.js';

/** "1" = right, "0" = wrong, "-" = wrong without an answer, upper-case L behind it = ended by the length limit; e.g. "1 0L -". */
export function question(row: number, samples: string, majority = 0, grader = 'g', benchmark = 'b'): QuestionRecord {
  return {
    benchmark,
    row,
    id: String(row),
    question: `q${row}`,
    gold: '1',
    majority: { [grader]: majority },
    samples: samples.split(' ').map((word, sample) => ({
      sample,
      response: word,
      length: 10 * (row + 1) + sample,
      stop: word.endsWith('L') ? 'length' : 'eos',
      grades: {
        [grader]: { equal: word.startsWith('1'), reason: 'by-hand', answer: word.startsWith('-') ? null : word[0]! },
      },
    })),
  };
}
