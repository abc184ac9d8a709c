import { completeOptions } from '../../config.js';
import { evalOptions } from '../../launch/eval-options.js';
import { hubHooks } from '../download-bar.js';
import type { Verb } from '../verb.js';

export const evalVerb: Verb = {
  name: 'eval',
  summary:
    "accuracy on benchmarks, by the paper's settings: AIME24, AMC23, MATH500 and others, or questions of your own",
  options: evalOptions,
  notes: `Accuracy is by the first of --grader, the others stand beside it; +- is one standard error over questions. With 30 questions
most differences are noise: --compare tests the difference of two outputs, question by question.`,
  examples: [
    'eval --model DIR --benchmarks aime24,amc23,math500 --data benchmarks --output results.jsonl',
    'eval --limit 50 --n-samples-per-prompt 4 --temperature 1',
    'eval --model DIR --benchmarks mine=questions.jsonl --system-prompt "" --json',
    'eval --compare before.jsonl,after.jsonl',
  ],
  async run(given, { terminal, signal }) {
    const options = completeOptions(evalOptions, given);
    if (options.compare !== '') {
      const { launchCompare, refuseBesideCompare } = await import('../../launch/eval-compare.js');
      const { compareReport } = await import('../eval-report.js');
      refuseBesideCompare(options);
      const compared = await launchCompare(options.compare);
      return { json: compared, lines: compareReport(compared) };
    }
    const { chooseMachine } = await import('../../launch/machine.js');
    const { launchEval } = await import('../../launch/eval.js');
    const { evalReport } = await import('../eval-report.js');
    const machine = chooseMachine(options);
    const bar = terminal.progress('sampling', 0);
    const result = await launchEval(options, machine, {
      signal,
      ...hubHooks(terminal),
      onProgress: (name, { done, total, graded, correct, tokens, seconds }) => {
        const share = graded === 0 ? '' : ` ${((100 * correct) / graded).toFixed(1)}%`;
        bar.update(done, `${name}${share} ${Math.round(tokens / Math.max(seconds, 1e-3))} tokens/s`, total);
      },
      remark: (text) => terminal.say(text, 'warn'),
    });
    bar.end();
    const output = options.output === '' ? {} : { output: options.output };
    const tail = options.output === '' ? [] : [options.output];
    return {
      json: { ...result, ...output },
      lines: [...evalReport(result.benchmarks), ...tail],
    };
  },
};
