/**
 * `--device cuda` through the real command line, on the module that LIMR_CUDA_MODULE names: the host shim (.ci/full/53-cuda-shim.sh), or a
 * GPU's. Skipped without it.
 */
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { embeddedEvalPrompts } from '../../src/launch/embedded.js';
import { runFiles } from '../promises/run-files.js';
import { startProcess } from '../promises/stoppable.js';
import { makeTinyRun, tinyRun } from '../promises/tiny-run.js';
import { run, succeed } from './process.js';

const module = process.env.LIMR_CUDA_MODULE ?? '';
const isShim = module.includes('shim');
const timeout = 1_200_000;

interface Row {
  readonly prompt: number;
  readonly sample: number;
  readonly tokens: readonly number[];
  readonly logprobs: readonly number[];
}
const rowsOf = <T>(file: string): T[] =>
  readFileSync(file, 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as T);

describe.skipIf(module === '')('--device cuda', () => {
  let root: string;
  const at = (name: string) => join(root, name);
  const onGpu = (args: readonly string[], ...more: readonly string[]) => [...args, '--device', 'cuda', ...more];
  beforeAll(async () => {
    root = mkdtempSync(join(tmpdir(), 'limr-cuda-'));
    await makeTinyRun(root);
  }, 300_000);
  afterAll(() => rmSync(root, { recursive: true }));

  it('is what doctor finds', () => {
    const { cuda } = JSON.parse(succeed(['doctor', '--json'])) as {
      cuda: { module: string; probe: { devices: { name: string }[]; cublaslt: string }; problem?: unknown };
    };
    expect(cuda).toMatchObject({ module, probe: { devices: expect.anything(), cublaslt: expect.any(String) } });
    expect(cuda.problem).toBeUndefined();
    expect(cuda.probe.devices.length).toBeGreaterThan(0);
    const lines = succeed(['doctor']);
    expect(lines).toMatch(/^cuda:0 +\S.*compute capability \d/m);
    expect(lines).toMatch(/^cublaslt +\S/m);
  });

  it('samples the same in batches of any size, and scores what it samples to the bit', { timeout }, () => {
    const lengths = [1, 31, 33, 64];
    writeFileSync(
      at('prompts.tokens.jsonl'),
      lengths
        .map((n) => JSON.stringify({ tokens: Array.from({ length: n }, (_, i) => 40 + ((7 * i + n) % 60)) }))
        .join('\n'),
    );
    const sample = (output: string, ...more: string[]) => {
      const flags = ['--n-samples-per-prompt', '3', '--generate-max-len', '12', '--temperature', '1'];
      succeed(
        onGpu(
          ['generate', '--model', at('model'), '--input', at('prompts.tokens.jsonl')],
          '--output',
          at(output),
          ...flags,
          ...more,
        ),
      );
      return rowsOf<Row>(at(output));
    };
    const ours = sample('a.jsonl');
    expect(ours).toHaveLength(12);
    expect(sample('b.jsonl', '--max-batch', '3', '--prefill-chunk', '17')).toEqual(ours);
    const prompts = rowsOf<{ tokens: number[] }>(at('prompts.tokens.jsonl'));
    const texts = ours.map(({ prompt, tokens }) => ({ tokens: [...prompts[prompt]!.tokens, ...tokens] }));
    writeFileSync(at('texts.jsonl'), texts.map((text) => JSON.stringify(text)).join('\n'));
    succeed(onGpu(['score', '--model', at('model'), '--input', at('texts.jsonl'), '--output', at('scores.jsonl')]));
    const scores = rowsOf<{ logprobs: (number | null)[] }>(at('scores.jsonl'));
    for (const [i, { prompt, tokens, logprobs }] of ours.entries()) {
      const start = prompts[prompt]!.tokens.length;
      expect(scores[i]?.logprobs.slice(start, start + tokens.length)).toEqual(logprobs);
    }
  });

  it('evaluates', { timeout }, () => {
    const questions = readFileSync(embeddedEvalPrompts, 'utf8').split('\n').slice(0, 3).join('\n');
    writeFileSync(at('questions.jsonl'), questions);
    const args = ['eval', '--model', at('model'), '--benchmarks', `own=${at('questions.jsonl')}`];
    succeed(onGpu(args, '--generate-max-len', '8', '--output', at('eval.jsonl')));
    expect(rowsOf(at('eval.jsonl'))).toHaveLength(3);
  });

  describe('trains', () => {
    let reference: ReadonlyMap<string, string>;
    const train = (name: string, ...more: string[]) => succeed(onGpu(tinyRun(root, at(name)), ...more));
    beforeAll(() => {
      train('reference');
      reference = runFiles(at('reference'));
    }, timeout);
    const expectSame = (name: string) => {
      const files = runFiles(at(name));
      expect([...files.keys()]).toEqual([...reference.keys()]);
      for (const [file, content] of reference) expect(files.get(file), file).toBe(content);
    };

    it('to the same bytes again', { timeout }, () => {
      train('again', '--threads', '2');
      expectSame('again');
    });

    it('to the same bytes after SIGKILL and --resume', { timeout }, async () => {
      const { child, ended } = startProcess(onGpu(tinyRun(root, at('killed'))));
      const seen = setInterval(() => {
        if (existsSync(at('killed/checkpoints/step_2/DONE'))) child.kill('SIGKILL');
      }, 5);
      const { end } = await ended;
      clearInterval(seen);
      expect(end).toBe('SIGKILL');
      succeed([...onGpu(tinyRun(root, at('killed'))), '--resume']);
      expectSame('killed');
    });

    it('near what the CPU does, of which its bits are not', { timeout }, () => {
      succeed(tinyRun(root, at('cpu')));
      const rollouts = (name: string) => rowsOf<Record<string, number>>(join(at(name), 'metrics.jsonl'));
      const [gpu, cpu] = [rollouts('reference'), rollouts('cpu')];
      expect(gpu.map((row) => Object.keys(row))).toEqual(cpu.map((row) => Object.keys(row)));
      // After the first rollout the two may have drawn other tokens. bf16 activations are rounded at other places.
      for (const [name, tolerance] of [
        ['entropy/mean', 0.01],
        ['loss/value', 0.05],
        ['grad_norm/actor', 0.2],
        ['grad_norm/critic', 0.2],
      ] as const) {
        const [ours, want] = [gpu[1]?.[name] ?? Number.NaN, cpu[1]?.[name] ?? Number.NaN];
        expect(Math.abs(ours - want), `${name}: ${ours}, on the CPU ${want}`).toBeLessThan(tolerance * Math.abs(want));
      }
    });
  });

  describe.runIf(isShim)('says what is missing', () => {
    const train = (environment: Record<string, string>, ...more: string[]) =>
      run(onGpu(tinyRun(root, at('refused')), ...more), environment);

    it('without a driver', () => {
      const { code, stderr } = train({ CUDA_SHIM_DEVICES: '0' });
      expect([code, stderr]).toEqual([
        1,
        expect.stringMatching(/no GPU can be used[\s\S]*LIMR_PLATFORM\]\nfix: .*driver/),
      ]);
    });

    it('on a GPU that is too old', () => {
      const { code, stderr } = train({ CUDA_SHIM_CAPABILITY: '75' });
      expect([code, stderr]).toEqual([
        1,
        expect.stringMatching(/compute capability 7\.5, and 8\.0 is needed[\s\S]*LIMR_PLATFORM\]/),
      ]);
    });

    it('of GPUs that are not there', () => {
      const { code, stderr } = run(['train', '--device', 'cuda:3', '--output', at('refused')]);
      expect([code, stderr]).toEqual([1, expect.stringMatching(/there is no GPU 3: 1 found[\s\S]*LIMR_PLATFORM\]/)]);
    });

    it('before a weight is loaded, where a run does not fit', () => {
      const { code, stderr } = train({ CUDA_SHIM_MEMORY: String(330 << 20) });
      expect([code, stderr]).toEqual([1, expect.stringMatching(/does not fit in memory\n[\s\S]*LIMR_MEMORY\]/)]);
    });

    it('where the GPU has less than was promised', () => {
      const { code, stderr } = train({ CUDA_SHIM_MEMORY: String(1 << 20) }, '--device-memory', '2GB');
      expect(code).toBe(1);
      expect(stderr).toMatch(
        /the GPU has no memory left: CUDA: cudaErrorMemoryAllocation[\s\S]*LIMR_(MEMORY|PLATFORM)\]\nfix: /,
      );
    });
  });

  it('plans by what the GPU does', { timeout }, () => {
    const plan = JSON.parse(succeed(onGpu(['plan', ...tinyRun(root, at('planned')).slice(1)], '--json'))) as {
      time: { speed: { numParameters: number }; totalSeconds: number };
      memory: { overheadBytes: number };
    };
    expect(plan.time.speed.numParameters).toBeGreaterThan(0);
    expect(plan.time.totalSeconds).toBeGreaterThan(0);
    expect(plan.memory.overheadBytes).toBeGreaterThan(0);
  });
});
