import { completeOptions } from '../../config.js';
import { scoreOptions } from '../../launch/options.js';
import type { ScoredRow, ScoreResult } from '../../launch/score.js';
import { hubHooks } from '../download-bar.js';
import type { Verb } from '../verb.js';

export const scoreVerb: Verb = {
  name: 'score',
  summary: 'log-probability and entropy of every token of given text',
  options: scoreOptions,
  examples: ['score --input texts.jsonl --output scores.jsonl', 'score --input tokens.jsonl --json'],
  async run(given, { terminal, signal }) {
    const { chooseMachine } = await import('../../launch/machine.js');
    const { collectRows } = await import('../../launch/json-lines-file.js');
    const { launchScore } = await import('../../launch/score.js');
    const options = completeOptions(scoreOptions, given);
    const machine = chooseMachine(options);
    const bar = terminal.progress('scoring', 0);
    const { result, rows } = await collectRows<ScoredRow, ScoreResult>(options.output, (take) =>
      launchScore(options, machine, take, {
        signal,
        ...hubHooks(terminal),
        onProgress: (done, total) => bar.update(done, '', total),
      }),
    );
    bar.end();
    const speed = Math.round(result.tokens / result.seconds);
    const counted = Number.isNaN(result.meanLogprob) ? 'none' : result.meanLogprob.toFixed(4);
    const summary = `${result.rows} rows, ${result.tokens} tokens, mean log-prob ${counted}, ${speed} tokens/s`;
    if (options.output === '') {
      return { json: { ...result, scores: rows }, lines: [...rows.map((row) => JSON.stringify(row)), summary] };
    }
    return { json: { ...result, output: options.output }, lines: [`${summary}: ${options.output}`] };
  },
};
