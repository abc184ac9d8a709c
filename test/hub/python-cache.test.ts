/** The cache is Python's too: LIMR_TEST_PYTHON names a Python that has huggingface_hub, to compare with. */
import { execFile } from 'node:child_process';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { resolveDataset, resolveModel } from '../../src/hub/index.js';
import { listFiles, openStage, type Stage, someBytes } from './support.js';

const python = process.env.LIMR_TEST_PYTHON;
const script = fileURLToPath(new URL('../../scripts/golden/check_hub_cache.py', import.meta.url));

let stage: Stage;
beforeEach(async () => {
  stage = await openStage();
  stage.hub.add('o/m', {
    kind: 'model',
    files: { 'config.json': '{}', 'tokenizer.json': '[]', 'model.safetensors': someBytes(50_000), 'README.md': '' },
  });
  stage.hub.add('o/n', {
    kind: 'dataset',
    files: {
      'data/train-00000-of-00002.parquet': someBytes(3000, 1),
      'data/train-00001-of-00002.parquet': someBytes(3000, 2),
    },
  });
});
afterEach(() => stage.close());

const run = async (...args: string[]) => {
  const env = { ...process.env, HF_HOME: join(stage.cache, 'home'), HF_TOKEN: '', HF_ENDPOINT: stage.hub.endpoint };
  const { stdout } = await promisify(execFile)(python!, args, { env: { ...env, HF_HUB_DISABLE_XET: '1' } }).catch(
    (error) => {
      throw new Error(`${error.stdout}${error.stderr}`);
    },
  );
  return stdout;
};

describe.skipIf(python === undefined)('huggingface_hub', () => {
  it.each([
    ['model', 'o/m', resolveModel],
    ['dataset', 'o/n', resolveDataset],
  ] as const)('reads our cache of a %s as its own', async (kind, id, resolve) => {
    await resolve(id, stage.options());
    const report = JSON.parse(await run(script, stage.cache, id, '--kind', kind, '--endpoint', stage.hub.endpoint));
    expect(report.checks).toEqual(Object.fromEntries(Object.keys(report.checks).map((name) => [name, true])));
  });

  it('fills a cache that we read without the hub', async () => {
    const folder = await run(
      '-c',
      `from huggingface_hub import snapshot_download; print(snapshot_download("o/m", cache_dir=${JSON.stringify(stage.cache)}), end="")`,
    );
    expect(await resolveModel('o/m', stage.options({ offline: true }))).toBe(folder);
    rmSync(join(stage.cache, 'models--o--m/trees'), { recursive: true }); // as older versions leave it
    expect(await resolveModel('o/m', stage.options({ offline: true }))).toBe(folder);
    stage.hub.seen.length = 0;
    expect(await resolveModel('o/m', stage.options())).toBe(folder);
    expect(stage.hub.seen.filter(({ path }) => path.includes('/resolve/'))).toEqual([]);
    expect(listFiles(folder)).toContain('README.md');
  });
});
