/** Cases without a model: reading weights, tokenizing, verifying. */
import type { Engine } from '../engine/engine.js';
import type { Grader } from '../reward/graders/grader.js';
import type { Tokenizer } from '../tokenizer/tokenizer.js';
import type { BenchCase } from './case.js';
import { secondsOf } from './measures.js';

/** From safetensors on disk, or in the system's cache of it, to weights in the engine's order. */
export function loadCase(engine: Engine, dir: string, weightBytes: number): BenchCase {
  return {
    name: 'load',
    suite: 'load',
    unit: 'B',
    amount: weightBytes,
    run: async () => {
      const started = performance.now();
      const model = await engine.load(dir, { tokenizer: false });
      const seconds = (performance.now() - started) / 1000;
      await model.close();
      return seconds;
    },
  };
}

export function tokenizeCase(tokenizer: Tokenizer, texts: readonly string[]): BenchCase {
  const count = texts.reduce((sum, text) => sum + tokenizer.encode(text).length, 0);
  return {
    name: `tokenize ${texts.length} texts`,
    suite: 'tokenize',
    unit: 'tokens',
    amount: count,
    run: () =>
      secondsOf(async () => {
        for (const text of texts) tokenizer.encode(text);
      }),
  };
}

export function verifyCase(
  name: string,
  grader: Grader,
  pairs: readonly (readonly [gold: string, pred: string])[],
): BenchCase {
  return {
    name: `verify ${name}`,
    suite: 'verify',
    unit: 'pairs',
    amount: pairs.length,
    run: () =>
      secondsOf(async () => {
        for (const [gold, pred] of pairs) grader.compare(gold, pred);
      }),
  };
}
