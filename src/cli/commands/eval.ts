import { completeOptions } from '../../config.js';
import { evalOptions } from '../../launch/eval-options.js';
import { hubHooks } from '../download-bar.js';
import { summaries } from '../summaries.js';
import type { Verb } from '../verb.js';

export const evalVerb: Verb = {
  name: 'eval',
  summary: summaries.eval,
  options: evalOptions,
  about: [
    'By default as the paper does: T = 0.4 and 4 samples for AIME24 and AMC23, greedy for the others, top-p 0.95, 3,072 tokens, a system message that asks for \\boxed{}. Accuracy is by the first of --grader, the others stand beside it; +- is one standard error over questions. Also pass@k, maj@k, mean length in tokens, and the share of samples that were cut off.',
    'With 30 questions most differences are noise: --compare tests the difference of two outputs, question by question (sign-flip test).',
  ],
  examples: [
    [
      "The paper's benchmarks, from a folder",
      'limr-engine eval --model models/tuned --benchmarks aime24,amc23,math500 --data benchmarks --output results.jsonl',
    ],
    [
      'The embedded model on fifty of its held-out questions, four samples each',
      'limr-engine eval --limit 50 --n-samples-per-prompt 4 --temperature 1',
    ],
    [
      'Questions of your own, without a system message',
      'limr-engine eval --model models/tuned --benchmarks mine=questions.jsonl --system-prompt "" --json',
    ],
    ['Is the second better than the first?', 'limr-engine eval --compare before.jsonl,after.jsonl'],
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
