/**
 * Promise 4: what `plan` says is what a process takes, measured by the kernel (VmHWM minus the idle baseline), within 10%. By default
 * on small models; LIMR_TEST_FULL=1 adds three models of more than 1 GB, which takes about 10 GB of memory.
 */
import { execFile } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Plan } from '../../src/engine/engine.js';
import type { MemoryPlan } from '../../src/plan/memory.js';
import { main, runProcess } from './stoppable.js';
import { makeTinyRun, tinyRun } from './tiny-run.js';

const isFull = process.env.LIMR_TEST_FULL === '1';
const script = fileURLToPath(new URL('./measure-memory.mjs', import.meta.url));
const common = {
  hidden_act: 'silu',
  initializer_range: 0.02,
  max_position_embeddings: 4096,
  rms_norm_eps: 1e-6,
  rope_theta: 1e6,
  torch_dtype: 'bfloat16',
  eos_token_id: 0,
};
const qwen2 = { ...common, architectures: ['Qwen2ForCausalLM'], model_type: 'qwen2', vocab_size: 151936 };
const qwen3 = { ...common, architectures: ['Qwen3ForCausalLM'], model_type: 'qwen3', vocab_size: 151936 };
const llama = { ...common, architectures: ['LlamaForCausalLM'], model_type: 'llama', vocab_size: 128256 };

interface Shape {
  readonly hidden_size: number;
  readonly intermediate_size: number;
  readonly num_hidden_layers: number;
  readonly num_attention_heads: number;
  readonly num_key_value_heads: number;
  readonly head_dim: number;
  readonly tie_word_embeddings: boolean;
}

const shape = (
  [hidden_size, intermediate_size, num_hidden_layers]: [number, number, number],
  [num_attention_heads, num_key_value_heads, head_dim]: [number, number, number],
  tie_word_embeddings: boolean,
): Shape => ({
  ...{ hidden_size, intermediate_size, num_hidden_layers },
  ...{ num_attention_heads, num_key_value_heads, head_dim, tie_word_embeddings },
});

/** The large ones: Qwen2.5-0.5B with two more layers; wide and shallow; untied, with normalised queries and keys. */
const models: Record<string, { config: object; numSequences: number; length: number; isLarge: boolean }> = {
  'qwen2 33M': size({ ...qwen2, vocab_size: 32000, ...shape([512, 1408, 6], [8, 2, 64], true) }, 6, 256, false),
  'qwen3 38M': size({ ...qwen3, vocab_size: 8000, ...shape([512, 2048, 8], [8, 4, 64], false) }, 6, 256, false),
  'qwen2 524M': size({ ...qwen2, ...shape([896, 4864, 26], [14, 2, 64], true) }, 4, 256, true),
  'llama 506M': size({ ...llama, ...shape([2048, 8192, 4], [32, 8, 64], true) }, 4, 256, true),
  'qwen3 516M': size({ ...qwen3, ...shape([1024, 3072, 13], [16, 8, 128], false) }, 4, 256, true),
};

function size(config: object, numSequences: number, length: number, isLarge: boolean) {
  return { config, numSequences, length, isLarge };
}

const phases = [
  ['score', true],
  ['generate', true],
  ['train', true],
  ['train', false],
] as const;

interface Measured {
  readonly plan: Plan;
  readonly baselineBytes: number;
  readonly peakBytes: number;
  readonly seconds: number;
  /** Pages of the KV cache that were in use at once, as a share; null but for generate. */
  readonly kvShare: number | null;
}

describe.skipIf(process.platform !== 'linux')('plan against the measured peak', () => {
  let root = '';
  beforeAll(() => {
    root = mkdtempSync(join(tmpdir(), 'limr-memory-'));
  });
  afterAll(() => rmSync(root, { recursive: true }));

  async function create(name: string, config: object): Promise<string> {
    const [source, dir] = [join(root, `${name} source`), join(root, name)];
    mkdirSync(source);
    writeFileSync(join(source, 'config.json'), JSON.stringify(config));
    const made = await runProcess(['model', 'create', '--config', join(source, 'config.json'), '--output', dir]);
    expect(made.end, made.stderr).toBe(0);
    return dir;
  }

  /** stdout of the command line. */
  async function output(args: readonly string[]): Promise<string> {
    return (await promisify(execFile)(process.execPath, [main, ...args])).stdout;
  }

  async function measure(input: object): Promise<Measured> {
    const { stdout } = await promisify(execFile)(process.execPath, [script, JSON.stringify(input)]);
    return JSON.parse(stdout) as Measured;
  }

  const wanted = Object.entries(models).filter(([, { isLarge }]) => isFull || !isLarge);
  it.each(wanted)('%s', { timeout: 3_600_000 }, async (name, { config, numSequences, length, isLarge }) => {
    const dir = await create(name, config);
    const megabytes = (bytes: number) => (bytes / 1e6).toFixed(0);
    const rows: string[] = [];
    for (const [phase, activationCheckpointing] of phases) {
      const input = { dir, phase, activationCheckpointing, numSequences, length };
      const { plan, baselineBytes, peakBytes, seconds, kvShare } = await measure(input);
      const workspace = Math.max(plan.trainBytes, plan.scoreBytes, plan.generateBytes);
      const planned = plan.weightBytes + plan.gradientBytes + plan.optimizerBytes + workspace;
      const measured = peakBytes - baselineBytes;
      const phaseName = phase === 'train' && activationCheckpointing ? 'train, checkpointing' : phase;
      const ratio = measured / planned;
      const cells = [name, phaseName, megabytes(planned), megabytes(workspace), megabytes(measured), ratio.toFixed(3)];
      rows.push(`| ${cells.join(' | ')} | ${seconds.toFixed(0)} s |`);
      if (phase === 'generate') expect(kvShare).toBeGreaterThan(0.85);
      if (isLarge) expect(plan.weightBytes).toBeGreaterThan(1e9);
      expect.soft(Math.abs(ratio - 1), rows.at(-1)).toBeLessThan(0.1);
    }
    rmSync(dir, { recursive: true });
    console.log(rows.join('\n'));
  });

  it('of a whole training: actor, critic and reference', { timeout: 600_000 }, async () => {
    await makeTinyRun(root);
    const [name, { config }] = Object.entries(models)[0]!;
    const model = await create(`${name}, trained`, config);
    for (const file of ['tokenizer.json', 'tokenizer_config.json'])
      copyFileSync(join(root, 'model', file), join(model, file));
    const dir = join(root, 'run');
    // Every sample has generateMaxLen tokens, so that micro-batches come close to their budget.
    const more = [
      '--model',
      model,
      '--generate-max-len',
      '100',
      '--micro-train-max-tokens',
      '480',
      '--train-batch-size',
      '8',
    ];
    const args = [
      ...tinyRun(root, dir),
      ...more,
      '--micro-train-batch-size',
      '4',
      '--rollouts',
      '1',
      '--eval-steps',
      '0',
    ];
    const planned = JSON.parse(await output(['plan', ...args.slice(1), '--json'])) as { memory: MemoryPlan };
    const { end, stderr } = await runProcess(args);
    expect(end, stderr).toBe(0);
    const last = readFileSync(join(dir, 'timings.jsonl'), 'utf8').trimEnd().split('\n').at(-1)!;
    const peakBytes = (JSON.parse(last) as Record<string, number>)['memory/peak_rss_bytes']!;
    const idle = { dir: model, phase: 'score', activationCheckpointing: true, numSequences: 1, length: 8 };
    const { baselineBytes } = await measure(idle);
    const ratio = (peakBytes - baselineBytes) / planned.memory.totalBytes;
    console.log(
      `${name}, train: ${(planned.memory.totalBytes / 1e6).toFixed(0)} MB planned, ${ratio.toFixed(3)} of it taken`,
    );
    expect(Math.abs(ratio - 1)).toBeLessThan(0.1);
  });
});

describe('a run that cannot fit', () => {
  let root = '';
  beforeAll(async () => {
    root = mkdtempSync(join(tmpdir(), 'limr-unfit-'));
    await makeTinyRun(root);
  }, 120_000);
  afterAll(() => rmSync(root, { recursive: true }));

  it('is refused with the table and the nearest setting that fits, before a weight is read', async () => {
    // Weights that cannot be read: whoever tries fails otherwise.
    writeFileSync(join(root, 'model', 'model.safetensors'), 'no weights');
    const dir = join(root, 'run');
    const unfit = await runProcess([...tinyRun(root, dir), '--memory', '20MB', '--max-batch', '4096']);
    expect(unfit.end, unfit.stderr).toBe(1);
    expect(unfit.stderr).toMatch(
      /does not fit in memory\n {2}weights .*\n(.*\n)+.*\[LIMR_MEMORY\]\nfix: --max-batch \d+/,
    );
    expect(existsSync(dir)).toBe(false);
    const [, advice = ''] = /fix: (.*) fits in /.exec(unfit.stderr) ?? [];
    const followed = await runProcess([...tinyRun(root, dir), '--memory', '20MB', ...advice.split(' ')]);
    expect(followed.stderr).toContain('model.safetensors');
    expect(followed.stderr).not.toContain('LIMR_MEMORY');
  });
});
