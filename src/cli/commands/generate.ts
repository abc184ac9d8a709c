import { completeOptions } from '../../config.js';
import { LimrError } from '../../errors.js';
import { escapeControls } from '../../escape-controls.js';
import type { Completion, GenerateResult } from '../../launch/generate.js';
import { generateOptions } from '../../launch/options.js';
import { hubHooks } from '../download-bar.js';
import { summaries } from '../summaries.js';
import type { Verb } from '../verb.js';

export const generateVerb: Verb = {
  name: 'generate',
  summary: summaries.generate,
  options: generateOptions,
  about: [
    'One completion of one --prompt is printed as it is sampled. A file of prompts (--input) is completed in batches; a row of --output is {prompt, sample, text, tokens, logprobs, stop}: indices of prompt and sample, and what was sampled. A log-probability is that of log-softmax(logits / temperature) over the whole vocabulary, in nats, and stop says why the sample ended.',
    'The same seed gives the same tokens, whatever else is in the batch.',
  ],
  examples: [
    ['Complete a prompt', "limr-engine generate --prompt $'Q: 12 + 30 = ?\\nA:'"],
    [
      'Eight samples of every prompt of a file',
      'limr-engine generate --model Qwen/Qwen2.5-0.5B-Instruct --input prompts.jsonl --output completions.jsonl --n-samples-per-prompt 8 --temperature 1',
    ],
  ],
  async run(given, { terminal, signal, json }) {
    const { chooseMachine } = await import('../../launch/machine.js');
    const { launchGenerate } = await import('../../launch/generate.js');
    const { collectRows } = await import('../../launch/json-lines-file.js');
    const options = completeOptions(generateOptions, given);
    if ((options.input === '') !== (options.output === '')) {
      throw new LimrError('LIMR_USAGE', '--input and --output go together', 'Give both, or --prompt alone.');
    }
    const machine = chooseMachine(options);
    const streams = options.output === '' && options.nSamplesPerPrompt === 1 && !json;
    const bar = streams ? undefined : terminal.progress('sampling', 0);
    const { result, rows } = await collectRows<Completion, GenerateResult>(options.output, (take) =>
      launchGenerate(options, machine, take, {
        signal,
        ...hubHooks(terminal),
        onProgress: (done, total, tokens) => bar?.update(done, `${tokens} tokens`, total),
        ...(streams ? { onText: (piece: string) => process.stdout.write(escapeControls(piece)) } : {}),
      }),
    );
    bar?.end();
    const { prompts, samples, stats, seconds } = result;
    const counts = { prompts, samples, tokens: stats.generatedTokens, seconds };
    if (streams) {
      process.stdout.write('\n');
      return { json: counts, lines: [] };
    }
    if (options.output === '') {
      return { json: { ...counts, completions: rows }, lines: rows.map(({ text }) => text) };
    }
    const speed = Math.round(stats.generatedTokens / seconds);
    const line = `${samples} completions of ${prompts} prompts, ${stats.generatedTokens} tokens, ${speed} tokens/s: ${options.output}`;
    return { json: { ...counts, output: options.output }, lines: [line] };
  },
};
