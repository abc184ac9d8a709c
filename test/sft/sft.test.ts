import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { completeOptions } from '../../src/config.js';
import type { StepOptions } from '../../src/engine/model.js';
import type { NativeLoss, NativePacked, NativeScoreRequest } from '../../src/native.js';
import { checkSftConfig, type SftConfig, sftOptions } from '../../src/sft/config.js';
import { type ExampleSet, readExamples } from '../../src/sft/examples.js';
import { finetune, plannedSteps, type SftEvent, type SftModel, splitExamples } from '../../src/sft/train.js';
import { Tokenizer } from '../../src/tokenizer/tokenizer.js';
import { computed } from '../engine/computed.js';
import { eosTokenId, writeTinyFolder } from '../engine/tiny-folder.js';

let root = '';
let tokenizer: Tokenizer;
beforeAll(async () => {
  root = mkdtempSync(join(tmpdir(), 'limr-sft-'));
  tokenizer = await Tokenizer.load(writeTinyFolder(join(root, 'tiny')));
});
afterAll(() => rmSync(root, { recursive: true }));

const configOf = (overrides: Partial<SftConfig> = {}): SftConfig => ({
  ...completeOptions(sftOptions, new Map()),
  ...overrides,
});

function read(name: string, content: string, overrides: Partial<SftConfig> = {}, maxLen = 100): Promise<ExampleSet> {
  const file = join(root, name);
  writeFileSync(file, content);
  return readExamples(file, { config: configOf(overrides), tokenizer, vocabSize: 300, eosTokenId, maxLen });
}

const lines = (...rows: object[]) => rows.map((row) => `${JSON.stringify(row)}\n`).join('');

describe('readExamples', () => {
  it('learns responses, texts and tokens', async () => {
    const content = lines({ prompt: 'ab', response: 'c' }, { text: 'de' }, { tokens: [7, 8, 9] });
    const set = await read('all.jsonl', content, { applyChatTemplate: 'off' });
    const text = Array.from(set.tokens, (id) => (id < 10 ? `#${id}` : tokenizer.decode([id])));
    expect(text).toEqual(['a', 'b', 'c', '<eos>', 'd', 'e', '<eos>', '#7', '#8', '#9']);
    expect(Array.from(set.offsets)).toEqual([0, 4, 7, 10]);
    expect(Array.from(set.lossStarts)).toEqual([2, 5, 8]);
    const whole = await read('all.jsonl', content, { applyChatTemplate: 'off', trainOnPrompt: true });
    expect(Array.from(whole.lossStarts)).toEqual([1, 5, 8]);
  });

  it("puts prompts into the model's chat template when it has one", async () => {
    const content = lines({ prompt: 'q', response: 'r' });
    const set = await read('chat.jsonl', content, { systemPrompt: 's' });
    expect(tokenizer.decode(set.tokens)).toBe('<system>s<user>q<assistant>r<eos>');
    expect(tokenizer.decode(set.tokens.subarray(set.lossStarts[0]))).toBe('r<eos>');
  });

  it('counts what it drops', async () => {
    const content = lines({ tokens: [1, 2, 3] }, { tokens: [1, 2, 3, 4] });
    expect(await read('long.jsonl', content, { longExamples: 'drop' }, 3)).toMatchObject({ numDropped: 1 });
    await expect(read('long.jsonl', content, {}, 3)).rejects.toMatchObject({
      code: 'LIMR_USAGE',
      message: expect.stringContaining('long.jsonl:2: the example has 4 tokens, more than 3'),
    });
    await expect(read('long.jsonl', content, { longExamples: 'drop' }, 2)).rejects.toThrow(/all 2 examples exceed 2/);
  });

  it.each([
    [
      'other fields',
      lines({ question: 'a' }),
      /:1: expected the texts "prompt" and "response".*its fields are question/,
    ],
    ['malformed JSON', '{"tokens": [1, 2]}\n{"tokens": [1', /:2: malformed JSON/],
    [
      'ids beyond the vocabulary',
      lines({ tokens: [1, 300] }),
      /:1: token 1 is 300, and the model has the ids 0 to 299/,
    ],
    ['tokens that are none', lines({ tokens: 'abc' }), /:1: "tokens" is not a list of token ids/],
    ['a single token', lines({ tokens: [1] }), /:1: an example needs two tokens/],
    ['an empty prompt', lines({ prompt: '', response: 'a' }), /:1: "prompt" is empty/],
  ])('refuses %s', async (_, content, message) => {
    await expect(read('bad.jsonl', content, { applyChatTemplate: 'off' })).rejects.toThrow(message);
  });
});

/** Logits that do not depend on the context, learned by plain gradient descent: all of the arithmetic that fine-tuning needs. */
class Unigram implements SftModel {
  readonly logits = new Float64Array(8);
  readonly batches: number[][][] = [];
  private gradient = new Float64Array(8);
  private batch: number[][] = [];

  logprob(token: number): number {
    return this.logits[token]! - Math.log(this.logits.reduce((sum, logit) => sum + Math.exp(logit), 0));
  }

  async accumulatePacked({ tokens, offsets }: NativePacked, loss: NativeLoss) {
    const losses = Float32Array.from(tokens, (token, i) => {
      const weight = loss.weights[i]!;
      for (let id = 0; id < 8; ++id)
        this.gradient[id]! += weight * (Math.exp(this.logprob(id)) - (id === token ? 1 : 0));
      return -weight * this.logprob(token);
    });
    for (const offset of offsets.subarray(0, -1)) expect(loss.weights[offset]).toBe(0);
    this.batch.push(Array.from(tokens));
    return { losses, outputs: losses, entropy: losses, nonFinite: '', ...computed({ tokens, offsets }) };
  }

  async scorePacked({ tokens, offsets }: NativeScoreRequest) {
    const logprobs = Float32Array.from(tokens, (token) => this.logprob(token));
    for (const offset of offsets.subarray(0, -1)) logprobs[offset] = Number.NaN;
    return { logprobs, entropy: new Float32Array(), values: new Float32Array(), ...computed({ tokens, offsets }) };
  }

  async step({ learningRate }: StepOptions) {
    const gradNorm = Math.hypot(...this.gradient);
    for (let id = 0; id < 8; ++id) this.logits[id]! -= learningRate * this.gradient[id]!;
    this.gradient = new Float64Array(8);
    this.batches.push(this.batch);
    this.batch = [];
    return { gradNorm, skipped: false, nonFinite: '' };
  }
}

/** Examples [0, a, b, ...] with tokens 1 and 2 at 7 : 3, of lengths 2 to 5. */
function corpus(count: number): ExampleSet {
  const examples = Array.from({ length: count }, (_, i) => [
    0,
    ...Array.from({ length: 1 + (i % 4) }, (_, j) => ((i + j) % 4 === 0 ? 2 : 1)),
  ]);
  const offsets = new Int32Array(count + 1);
  for (const [i, { length }] of examples.entries()) offsets[i + 1] = offsets[i]! + length;
  return {
    tokens: Int32Array.from(examples.flat()),
    offsets,
    lossStarts: offsets.slice(0, count).map((offset) => offset + 1),
    numDropped: 0,
  };
}

describe('finetune', () => {
  it('learns the frequencies of its tokens, and reports falling losses', async () => {
    const model = new Unigram();
    const events: SftEvent[] = [];
    const config = configOf({ learningRate: 1, trainBatchSize: 50, maxEpochs: 20, heldoutShare: 0.1, evalSteps: 0 });
    const result = await finetune(model, corpus(400), config, { observe: (event) => events.push(event) });
    expect(Math.exp(model.logprob(1))).toBeCloseTo(0.7, 1);
    expect(result).toMatchObject({ steps: 144, plannedSteps: 144 });
    const [before, after] = result.heldoutLosses;
    expect(before?.loss).toBeCloseTo(Math.log(8), 5);
    expect(after?.loss).toBeLessThan(0.7);
    expect(events.filter(({ type }) => type === 'step')).toHaveLength(144);
  });

  it('sees every training example once an epoch, in an order of the seed, and never a held-out one', async () => {
    const examples = corpus(103);
    // Tell examples apart: their first token is not learned, so it can carry the id.
    examples.tokens.forEach((_, i) => {
      const id = examples.offsets.indexOf(i);
      if (id >= 0) examples.tokens[i] = id + 1000;
    });
    const run = async (seed: number) => {
      const model = new Unigram();
      await finetune(model, examples, configOf({ seed, trainBatchSize: 10, maxEpochs: 2, heldoutShare: 0.05 }));
      return model.batches.flat(2).filter((token) => token >= 1000);
    };
    const [first, again, other] = [await run(1), await run(1), await run(2)];
    const { train, heldout } = splitExamples(103, configOf({ seed: 1, heldoutShare: 0.05 }));
    expect(heldout).toHaveLength(5);
    expect(first.slice(0, 98).sort()).toEqual(Array.from(train, (id) => id + 1000).sort());
    expect(first.slice(98).sort()).toEqual(first.slice(0, 98).sort());
    expect(first.slice(98)).not.toEqual(first.slice(0, 98));
    expect(again).toEqual(first);
    expect(other).not.toEqual(first);
  });

  it('has the same losses for every micro-batch size', async () => {
    const run = async (overrides: Partial<SftConfig>) => {
      const losses: number[] = [];
      const model = new Unigram();
      const config = configOf({ learningRate: 0.1, trainBatchSize: 16, heldoutShare: 0, ...overrides });
      await finetune(model, corpus(64), config, { observe: (e) => e.type === 'step' && losses.push(e.loss) });
      return { losses, parts: model.batches[0]?.length };
    };
    const whole = await run({});
    const cut = await run({ microTrainMaxTokens: 5 });
    const single = await run({ microTrainBatchSize: 1 });
    expect([whole.parts, single.parts]).toEqual([1, 16]);
    expect(cut.parts).toBeGreaterThan(8);
    expect(cut.losses).toEqual(whole.losses);
    expect(single.losses).toEqual(whole.losses);
  });

  it('takes maxSteps steps of full size, however many epochs that is', async () => {
    const model = new Unigram();
    const config = configOf({ maxSteps: 7, trainBatchSize: 30, heldoutShare: 0 });
    expect(plannedSteps(config, 40)).toBe(7);
    await finetune(model, corpus(40), config);
    expect(model.batches).toHaveLength(7);
    expect(new Set(model.batches.map((parts) => parts.flat().filter((token) => token === 0).length))).toEqual(
      new Set([30]),
    );
  });

  it('ends after the step that a signal interrupts', async () => {
    const controller = new AbortController();
    const observe = (event: SftEvent) => event.type === 'step' && event.step === 3 && controller.abort();
    const config = configOf({ trainBatchSize: 4, heldoutShare: 0 });
    const result = await finetune(new Unigram(), corpus(40), config, { observe, signal: controller.signal });
    expect(result).toMatchObject({ steps: 3, plannedSteps: 10 });
  });

  it('stops after skipped steps in a row, naming the op', async () => {
    const model = new Unigram();
    const broken: SftModel = {
      accumulatePacked: async (batch, loss) => ({
        ...(await model.accumulatePacked(batch, loss)),
        nonFinite: 'rmsnorm',
      }),
      scorePacked: (request) => model.scorePacked(request),
      step: async () => ({ gradNorm: Number.NaN, skipped: true, nonFinite: '' }),
    };
    await expect(finetune(broken, corpus(40), configOf({ trainBatchSize: 4 }))).rejects.toMatchObject({
      code: 'LIMR_NUMERIC',
      message: expect.stringContaining('3 optimizer steps in a row'),
    });
  });
});

it('checkSftConfig refuses lengths beyond the context and the budget', () => {
  expect(() => checkSftConfig(configOf({ maxLen: 300 }), 256)).toThrowError(
    /maxLen is 300, and the model's context is 256/,
  );
  expect(() => checkSftConfig(configOf({ maxLen: 200, microTrainMaxTokens: 100 }), 256)).toThrowError(
    /microTrainMaxTokens/,
  );
  expect(() => checkSftConfig(configOf({ maxLen: 200 }), 256)).not.toThrow();
});
