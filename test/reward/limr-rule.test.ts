import { describe, expect, it } from 'vitest';
import {
  answerTable,
  checkDialogue,
  createGrader,
  createReward,
  gradeCheck,
  limrRuleReward,
  rejectReasons,
  scoreSamples,
  splitDeepseek,
  splitQwen,
} from '../../src/reward/index.js';
import { sharedFile } from '../shared.js';
import { jsonLines, sampleOf } from './support.js';

interface Vector {
  readonly template: 'qwen' | 'deepseek';
  readonly query: string;
  readonly why: string;
  readonly reject: boolean;
  readonly score_if_reject: number | null;
  readonly compared: readonly [gold: string, answer: string] | null;
}

/** Why each kind of vector is rejected; kinds that are absent may be rejected for any reason. */
const reasonOf: Record<string, string> = {
  'no eos': 'unfinished',
  'no boxed': 'no_box',
  '>=5 boxed': 'too_many_boxes',
  garbled: 'garbled',
  'repeat 5x': 'repetition',
  'edge \\boxed {5}': 'no_answer',
  'prompt not in table': 'unknown_prompt',
  'second turn': 'unknown_prompt',
};

const vectors = sharedFile('verifier/limr_reward.jsonl');

describe('LIMR vectors', () => {
  it.skipIf(vectors === undefined)('are rejected with their score, or compared as the very same pair', () => {
    const rows = jsonLines<Vector>(vectors!);
    const split = (row: Vector) => (row.template === 'qwen' ? splitQwen : splitDeepseek)(row.query);
    const golds = new Map<string, string>();
    for (const row of rows) if (row.compared) golds.set(split(row).prompt, row.compared[0]);
    // A prompt Q<i> is in LIMR's table; where no row shows its gold, none is ever compared with it.
    const lookup = (prompt: string) => (/^Q\d+$/.test(prompt) ? (golds.get(prompt) ?? '') : undefined);

    const counts = { rejected: 0, compared: 0 };
    for (const row of rows) {
      const check = checkDialogue(split(row), lookup);
      const what = `${row.why}: ${row.query.slice(-80)}`;
      if (row.reject) {
        counts.rejected += 1;
        expect(check.reject, what).not.toBeNull();
        expect(gradeCheck(check, createGrader('standard').compare).reward, what).toBe(row.score_if_reject);
        if (row.why in reasonOf) expect(check.reject, what).toBe(reasonOf[row.why]);
      } else {
        counts.compared += 1;
        expect(check, what).toEqual({ reject: null, gold: row.compared![0], answer: row.compared![1] });
      }
    }
    expect(counts).toEqual({ rejected: 247, compared: 559 });
  });
});

describe('checkDialogue', () => {
  const lookup = answerTable([{ prompt: ' P\n', answer: '7' }]);
  const check = (response: string, { prompt = 'P', finished = true } = {}) =>
    checkDialogue({ prompt, response, finished }, lookup);
  const garble = '中'.repeat(200);
  const repeat = 'abcde'.repeat(5);

  it('lets the first check that fails decide, in order', () => {
    // Each text fails its own check and every later one.
    const unknown = { prompt: 'Q' };
    expect(check(`${garble}${repeat}`, { ...unknown, finished: false }).reject).toBe('unfinished');
    expect(check(`${garble}${repeat}`, unknown).reject).toBe('no_box');
    expect(check(`${'\\boxed '.repeat(5)}${garble}${repeat}`, unknown).reject).toBe('too_many_boxes');
    expect(check(`\\boxed ${garble}${repeat}`, unknown).reject).toBe('garbled');
    expect(check(`\\boxed ${repeat}`, unknown).reject).toBe('repetition');
    expect(check('\\boxed ', unknown).reject).toBe('no_answer');
    expect(check('\\boxed{7}', unknown).reject).toBe('unknown_prompt');
    expect(check('\\boxed{7}')).toEqual({ reject: null, gold: '7', answer: '7' });
    expect(rejectReasons).toHaveLength(7);
  });

  it('has strict limits', () => {
    expect(check('\\boxed{7} \\boxed \\boxed \\boxed').reject).toBeNull();
    const nine = '\\boxed{7}';
    expect(check(`${nine}12345${'é'.repeat(6)}`).reject).toBeNull(); // 6 of 20 is 0.3, not above
    expect(check(`${nine}1234${'é'.repeat(6)}`).reject).toBe('garbled');
  });

  it('knows stripped prompts, and later rows win', () => {
    const table = answerTable([
      { prompt: 'P', answer: '1' },
      { prompt: '\x1fP ', answer: '2' },
    ]);
    expect(table('P')).toBe('2');
    expect(table('constructor')).toBeUndefined();
  });
});

describe('splitQwen', () => {
  const header = '<|im_end|>\n<|im_start|>assistant\n';

  it('takes the last turn and cuts at the first end marker', () => {
    const text = `<|im_start|>system\nS<|im_end|>\n<|im_start|>user\n P ${header} a<|endoftext|>b<|im_end|>c`;
    expect(splitQwen(text)).toEqual({ prompt: 'P', response: 'a', finished: true });
  });

  it('is not finished by a marker of the prompt', () => {
    expect(splitQwen(`<|im_end|>\n<|im_start|>user\nP${header}a`).finished).toBe(false);
  });
});

describe('limrRuleReward', () => {
  const score = async (fields: Parameters<typeof sampleOf>[0], options = {}) => {
    const reward = createReward({ kind: 'limr-rule', grader: 'standard', ...options });
    return (await scoreSamples(reward, [sampleOf(fields)]))[0]!;
  };

  it('grades plain text by the stop reason', async () => {
    expect(await score({})).toEqual({
      reward: 1,
      correct: true,
      wellFormed: true,
      reason: 'equal',
      answer: '42',
      detail: 'identical',
    });
    expect(await score({ stopReason: 'stop', answer: '84/2' })).toMatchObject({ reward: 1, detail: 'same_value' });
    expect(await score({ answer: '43' })).toMatchObject({ reward: -0.5, wellFormed: true, reason: 'different' });
    for (const stopReason of ['length', 'abort'] as const) {
      expect(await score({ stopReason })).toMatchObject({ reward: -1, wellFormed: false, reason: 'unfinished' });
    }
  });

  it('takes other scores, whole or in part', async () => {
    const scores = { wrong: 0, malformed: -0.25 };
    expect((await score({}, { scores })).reward).toBe(1);
    expect((await score({ answer: '43' }, { scores })).reward).toBe(0);
    expect((await score({ response: 'no' }, { scores })).reward).toBe(-0.25);
  });

  it('reads a templated text, and knows only the prompt that was asked', async () => {
    const turn = (prompt: string, response: string) =>
      `<|im_end|>\n<|im_start|>user\n${prompt}<|im_end|>\n<|im_start|>assistant\n${response}`;
    const options = { template: 'qwen' };
    const asked = turn('P ', 'so \\boxed{42}<|endoftext|>');
    expect((await score({ prompt: ' P', fullText: asked }, options)).reason).toBe('equal');
    const invented = asked + turn('R', '\\boxed{42}<|im_end|>');
    expect((await score({ prompt: 'P', fullText: invented }, options)).reason).toBe('unknown_prompt');
    const lookup = answerTable([{ prompt: 'R', answer: '5' }]);
    expect((await score({ prompt: 'P', fullText: invented }, { ...options, lookup })).reason).toBe('different');
    const deepseek =
      '<｜User｜>P\nPlease reason step by step, and put your final answer within \\boxed{}<｜Assistant｜>';
    const fullText = `${deepseek}\\boxed{42}`;
    expect((await score({ prompt: 'P', fullText }, { template: 'deepseek' })).reason).toBe('equal');
  });

  it('calls a comparator that throws "not equal", and tells why', async () => {
    const comparator = () => {
      throw new Error('out of budget');
    };
    const reward = limrRuleReward({ grader: 'broken', comparator, template: 'plain' });
    expect(await reward.score([sampleOf({})])).toMatchObject([
      { reward: -0.5, correct: false, reason: 'comparison_failed', detail: 'out of budget' },
    ]);
  });

  it('grades a sample alike in any company and order', async () => {
    const reward = createReward({ kind: 'limr-rule', grader: 'standard' });
    const samples = [{}, { answer: '1' }, { stopReason: 'length' as const }, { response: '' }].map(sampleOf);
    const together = await scoreSamples(reward, samples);
    const reversed = await scoreSamples(reward, samples.toReversed());
    expect(reversed.toReversed()).toEqual(together);
    for (const [index, sample] of samples.entries()) {
      expect(await scoreSamples(reward, [sample])).toEqual([together[index]]);
    }
  });
});
