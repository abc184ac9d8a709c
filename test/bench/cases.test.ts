/** What cases count, against counts by hand; and that a run of all suites gives numbers. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { linearShapes } from '../../src/bench/gemm-cases.js';
import { tokens } from '../../src/bench/measures.js';
import { decodeCase, prefillCase, trainCase } from '../../src/bench/model-cases.js';
import { modelShape, shapeConfig } from '../../src/bench/shapes.js';
import type { Model } from '../../src/engine/model.js';
import type { BenchReport } from '../../src/launch/bench.js';
import { embeddedModel } from '../../src/launch/embedded.js';
import { multipliedWeights } from '../../src/plan/time.js';
import { runCli } from '../cli/run-cli.js';

/** 2 layers: q and o 8x8, k and v 8x4, three of 8x10; the head 8x100. Attention: 4 flop a key, layer, head and dimension. */
const shape = { layers: 2, hiddenSize: 8, intermediateSize: 10, heads: 2, kvHeads: 1, headDim: 4, vocabSize: 100 };
const layers = 2 * (2 * 64 + 2 * 32 + 3 * 80);
const head = 800;
const perKey = 4 * 2 * 2 * 4;
const model = { info: { vocabSize: 100 } } as Model;

describe('cases of a model', () => {
  it('prefill multiplies every token with the layers, and the last with the head', () => {
    // Tokens 1, 2, 3 see 1, 2, 3 keys.
    expect(prefillCase(model, shape, 3).flops).toBeCloseTo(3 * 2 * layers + 2 * head + 6 * perKey, 6);
  });

  it('decode reads all weights once, and the keys and values of every sequence', () => {
    const size = { batch: 4, context: 16, samplesPerPrompt: 2 };
    const { flops, bytes, limit, amount } = decodeCase(model, shape, size, 0);
    const keys = 16 + 8; // half of the 16 steps later
    expect(amount).toBe(4);
    expect(flops).toBe(4 * (2 * (layers + head) + keys * perKey));
    expect(bytes).toBe(2 * (layers + head) + 4 * keys * 2 * 2 * 4 * 2);
    expect(limit).toBe('readBytes');
    // Weights that stay in caches are not read from memory.
    expect(decodeCase(model, shape, size, 1e6)).not.toHaveProperty('bytes');
  });

  it('training is three forward passes', () => {
    const { flops, amount } = trainCase(model, shape, 2, 3);
    expect(amount).toBe(6);
    expect(flops).toBeCloseTo(3 * 2 * (3 * 2 * (layers + head) + 6 * perKey), 6);
  });

  it('linear layers hold the weights that are multiplied', () => {
    const each = linearShapes(shape).map(({ layer, outputs, inputs }) => (layer === 'head' ? 1 : 2) * outputs * inputs);
    expect(each.reduce((a, b) => a + b)).toBe(multipliedWeights(shape));
  });

  it('tokens are within the vocabulary and differ between sequences', () => {
    const [a, b] = [tokens(50, 100), tokens(50, 100, 31)];
    expect(Math.min(...a)).toBeGreaterThanOrEqual(0);
    expect(Math.max(...a)).toBeLessThan(100);
    expect(a).not.toEqual(b);
    expect(new Set(a).size).toBeGreaterThan(20);
  });
});

describe('shapes', () => {
  it('nano is that of the embedded model', () => {
    const embedded = JSON.parse(readFileSync(join(embeddedModel, 'config.json'), 'utf8'));
    expect(modelShape(shapeConfig('nano'), '')).toEqual(modelShape(embedded, ''));
  });

  it('have the parameters that their names say, in millions', () => {
    const millions = (name: string) => multipliedWeights(modelShape(shapeConfig(name), '')) / 1e6;
    expect(millions('qwen2.5-0.5b')).toBeCloseTo(494, 0);
    expect(millions('qwen2.5-1.5b')).toBeCloseTo(1544, 0);
    expect(millions('smollm2-135m')).toBeCloseTo(134.5, 0);
    expect(millions('smollm2-360m')).toBeCloseTo(362, 0);
  });

  it('others are refused with the nearest name', () => {
    expect(() => shapeConfig('qwen2.5-0.5')).toThrow(/no shape is called "qwen2.5-0.5"/);
  });
});

describe('limr-engine bench', () => {
  let folder = '';
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'limr-bench-'));
  });
  afterAll(() => rmSync(folder, { recursive: true }));
  const small = [
    ...['--repetitions', '1', '--prefill-tokens', '9', '--decode-batch', '2,3', '--decode-context', '7'],
    ...[
      '--rollout',
      '2x3x5+7',
      '--train-batch',
      '2x8',
      '--gemm-tokens',
      '2',
      '--gemm-ops',
      'forward,swiglu,dinp,dweight',
      '--threads',
      '2',
    ],
  ];

  it.each([[['--shape', 'nano']], [[]]])('runs every suite: %j', async (which) => {
    const output = join(folder, `${which.length}.json`);
    const suite = ['--suite', 'gemm,prefill,decode,rollout,train,load,tokenize,verify'];
    const { code, stdout, stderr } = await runCli('bench', ...suite, ...small, ...which, '--output', output, '--json');
    expect(code, stderr).toBe(0);
    const report = JSON.parse(stdout) as BenchReport;
    expect(JSON.parse(readFileSync(output, 'utf8'))).toEqual(report);
    expect(report.machine.threads).toBe(2);
    expect(report.model?.random).toBe(which.length > 0);
    expect(new Set(report.cases.map((each) => each.suite)).size).toBe(8);
    for (const { name, seconds, perSecond, amount } of report.cases) {
      expect(seconds, name).toHaveLength(1);
      expect(seconds[0], name).toBeGreaterThan(0);
      expect(perSecond, name).toBeCloseTo(amount / seconds[0]!, 3);
    }
    // A product for each op and layer; swiglu has one layer.
    expect(report.cases.filter((each) => each.suite === 'gemm')).toHaveLength(3 * 5 + 1);
  });

  it('compares with an earlier run, and prints a table', async () => {
    const output = join(folder, 'before.json');
    const args = ['bench', '--suite', 'tokenize,verify', '--threads', '1', '--repetitions', '5'];
    expect((await runCli(...args, '--output', output)).code).toBe(0);
    const { code, stdout, stderr } = await runCli(...args, '--compare', output);
    expect(code, stderr).toBe(0);
    expect(stdout).toMatch(/^case .*speed .*before/m);
    expect(stdout).toMatch(/^tokenize 2000 texts .*tokens\/s .*(same|slower|faster) \(time x/m);
  });

  it.each([
    [['--suite', 'prefil'], /expected names out of gemm, prefill/],
    [['--model', 'a', '--shape', 'nano'], /--model and --shape name the same/],
    [['--shape', 'huge'], /no shape is called "huge"/],
    [['--prefill-tokens', '9999'], /--prefill-tokens has 9999, expected 1 to 255/],
    [['--decode-context', '250'], /--decode-context has 250, expected 1 to 240/],
    [['--train-batch', '4x1'], /no token to learn/],
  ])('refuses %j', async (args, message) => {
    const { code, stderr } = await runCli('bench', ...args);
    expect(stderr).toMatch(message);
    expect(code).toBe(2);
  });

  it('refuses to compare with what is no result', async () => {
    const file = join(folder, 'other.json');
    writeFileSync(file, '{"a": 1}');
    const { code, stderr } = await runCli('bench', '--compare', file);
    expect([code, stderr]).toEqual([1, expect.stringMatching(/is not a result of bench/)]);
  });
});
