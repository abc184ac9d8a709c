import { completeOptions } from '../../config.js';
import { LimrError } from '../../errors.js';
import type { Completion } from '../../launch/generate.js';
import { generateOptions } from '../../launch/options.js';
import { escapeControls } from '../terminal.js';
import type { Verb } from '../verb.js';

export const generateVerb: Verb = {
  name: 'generate',
  summary: 'complete a prompt, or a file of prompts',
  options: generateOptions,
  examples: [
    "generate --prompt $'Q: 12 + 30 = ?\\nA:'",
    'generate --model DIR --input prompts.jsonl --output completions.jsonl --n-samples-per-prompt 8 --temperature 1',
  ],
  async run(given, { terminal, signal }) {
    const { chooseMachine } = await import('../../launch/machine.js');
    const { launchGenerate } = await import('../../launch/generate.js');
    const { JsonLinesFile } = await import('../../launch/json-lines-file.js');
    const options = completeOptions(generateOptions, given);
    if ((options.input === '') !== (options.output === '')) {
      throw new LimrError('LIMR_USAGE', '--input and --output go together', 'Give both, or --prompt alone.');
    }
    const machine = chooseMachine(options);
    const kept: Completion[] = [];
    const file = options.output === '' ? undefined : await JsonLinesFile.create(options.output);
    let complete = false;
    try {
      const bar = await terminal.progress('sampling', 0);
      const result = await launchGenerate(
        options,
        machine,
        (completion) => (file === undefined ? void kept.push(completion) : file.write(completion)),
        { signal, onProgress: (done, total, tokens) => bar.update(done, `${tokens} tokens`, total) },
      );
      bar.end();
      complete = true;
      const { prompts, samples, stats, seconds } = result;
      const counts = { prompts, samples, tokens: stats.generatedTokens, seconds };
      if (file !== undefined) {
        const speed = Math.round(stats.generatedTokens / seconds);
        const line = `${samples} completions of ${prompts} prompts, ${stats.generatedTokens} tokens, ${speed} tokens/s: ${options.output}`;
        return { json: { ...counts, output: options.output }, lines: [line] };
      }
      return { json: { ...counts, completions: kept }, lines: kept.map(({ text }) => escapeControls(text)) };
    } finally {
      await file?.close(complete);
    }
  },
};
