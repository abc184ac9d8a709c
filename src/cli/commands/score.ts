import { completeOptions } from '../../config.js';
import { scoreOptions } from '../../launch/options.js';
import type { ScoredRow } from '../../launch/score.js';
import type { Verb } from '../verb.js';

export const scoreVerb: Verb = {
  name: 'score',
  summary: 'log-probability and entropy of every token of given text',
  options: scoreOptions,
  examples: ['score --input texts.jsonl --output scores.jsonl', 'score --input tokens.jsonl --json'],
  async run(given, { terminal, signal }) {
    const { chooseMachine } = await import('../../launch/machine.js');
    const { JsonLinesFile } = await import('../../launch/json-lines-file.js');
    const { launchScore } = await import('../../launch/score.js');
    const options = completeOptions(scoreOptions, given);
    const machine = chooseMachine(options);
    const kept: ScoredRow[] = [];
    const file = options.output === '' ? undefined : await JsonLinesFile.create(options.output);
    let complete = false;
    try {
      const bar = await terminal.progress('scoring', 0);
      const result = await launchScore(
        options,
        machine,
        (row) => (file === undefined ? void kept.push(row) : file.write(row)),
        { signal, onProgress: (done, total) => bar.update(done, '', total) },
      );
      bar.end();
      complete = true;
      const { rows, tokens, meanLogprob, seconds } = result;
      const summary = `${rows} rows, ${tokens} tokens, mean log-prob ${meanLogprob.toFixed(4)}, ${Math.round(tokens / seconds)} tokens/s`;
      if (file !== undefined)
        return { json: { ...result, output: options.output }, lines: [`${summary}: ${options.output}`] };
      return { json: { ...result, scores: kept }, lines: [...kept.map((row) => JSON.stringify(row)), summary] };
    } finally {
      await file?.close(complete);
    }
  },
};
