import { completeOptions } from '../../config.js';
import { printableJson } from '../../escape-controls.js';
import { scoreOptions } from '../../launch/options.js';
import type { ScoredRow, ScoreResult } from '../../launch/score.js';
import { hubHooks } from '../download-bar.js';
import { summaries } from '../summaries.js';
import type { Verb } from '../verb.js';

export const scoreVerb: Verb = {
  name: 'score',
  summary: summaries.score,
  options: scoreOptions,
  about: [
    'A row of the output is {tokens, logprobs, entropy}, one number a token, in nats, both of log-softmax(logits / temperature) over the whole vocabulary; the first token has no log-probability (null). The numbers are, bit for bit, those that `generate` reports of tokens that it sampled.',
  ],
  examples: [
    ['Texts', 'limr-engine score --input texts.jsonl --output scores.jsonl'],
    ['Rows of token ids, as one JSON object', 'limr-engine score --input tokens.jsonl --json'],
  ],
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
      return { json: { ...result, scores: rows }, lines: [...rows.map((row) => printableJson(row)), summary] };
    }
    return { json: { ...result, output: options.output }, lines: [`${summary}: ${options.output}`] };
  },
};
