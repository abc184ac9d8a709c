import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  completeOptions,
  environmentLayer,
  fileLayer,
  flagLayer,
  layerValues,
  mergeLayers,
  variableOf,
} from '../../src/config.js';
import { trainOptions } from '../../src/ppo/config.js';

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'limr-config-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

function yaml(content: string): string {
  const path = join(folder, 'run.yaml');
  writeFileSync(path, content);
  return path;
}

describe('layers', () => {
  it('flag beats environment beats file beats default', async () => {
    const file = await fileLayer(trainOptions, yaml('eps_clip: 0.1\nseed: 1\ntemperature: 0.9\n'));
    const environment = environmentLayer(trainOptions, { LIMR_EPS_CLIP: '0.3', LIMR_SEED: '2' });
    const flags = flagLayer(trainOptions, { epsClip: '0.4' });
    const config = completeOptions(trainOptions, mergeLayers(flags, environment, file));
    expect(config).toMatchObject({ epsClip: 0.4, seed: 2, temperature: 0.9, gamma: trainOptions.gamma.default });
    expect(mergeLayers(flags, environment, file).get('seed')?.from).toBe('LIMR_SEED');
    expect(Object.keys(config)).toEqual(Object.keys(trainOptions));
  });

  it('names one option the same everywhere', async () => {
    expect(variableOf('evalNSamples')).toBe('LIMR_EVAL_N_SAMPLES');
    for (const key of ['eval_n_samples', 'evalNSamples', 'eval-n-samples']) {
      expect(layerValues(await fileLayer(trainOptions, yaml(`${key}: 3`)))).toEqual({ evalNSamples: 3 });
    }
  });

  it('reads each type, null and lists', async () => {
    const layer = await fileLayer(
      trainOptions,
      yaml('klInLoss: true\nlossAgg: sequence-mean\nklTarget: null\nstop: ["\\nuser\\n", b]\n'),
    );
    expect(layerValues(layer)).toEqual({
      klInLoss: true,
      lossAgg: 'sequence-mean',
      klTarget: null,
      stop: ['\nuser\n', 'b'],
    });
    expect(
      layerValues(flagLayer(trainOptions, { klTarget: 'null', klInLoss: 'true', stop: ['x'], seed: undefined })),
    ).toEqual({ klTarget: null, klInLoss: true, stop: ['x'] });
  });

  it('takes an empty file as one without options', async () => {
    expect((await fileLayer(trainOptions, yaml('# nothing\n'))).size).toBe(0);
  });
});

describe('what is wrong is named with its place', () => {
  const files: readonly (readonly [string, string, string, string])[] = [
    ['an unknown key', 'seed: 1\neps_clp: 0.1', 'run.yaml:2: there is no option "eps_clp"', 'Did you mean eps_clip?'],
    [
      'a value out of range',
      'seed: 1\n\nlambd: 2',
      'run.yaml:3: lambd is 2, expected a number >= 0 and <= 1',
      '--lambd',
    ],
    ['a value of another type', 'seed: one', 'run.yaml:1: seed is "one"', '--seed'],
    ['an option given twice', 'eps_clip: 1\nepsClip: 2', 'run.yaml:2: "epsClip" was set before', 'Keep one'],
    ['broken YAML', 'seed: [1', 'run.yaml:1: ', ''],
    ['a list', '- seed', 'is not a mapping', 'option: value'],
    ['a nested mapping', 'seed:\n  a: 1', 'run.yaml:1: seed is {"a":1}', '--seed'],
  ];
  it.each(files)('%s in a file', async (_, content, message, hint) => {
    await expect(fileLayer(trainOptions, yaml(content))).rejects.toMatchObject({
      code: 'LIMR_USAGE',
      message: expect.stringContaining(message),
      hint: expect.stringContaining(hint),
    });
  });

  it('a file that is not there', async () => {
    await expect(fileLayer(trainOptions, join(folder, 'nowhere.yaml'))).rejects.toMatchObject({ code: 'LIMR_IO' });
  });

  it('a variable and a flag', () => {
    expect(() => environmentLayer(trainOptions, { LIMR_EPS_CLIP: 'wide' })).toThrowError(
      /^LIMR_EPS_CLIP is "wide", expected a number > 0$/,
    );
    expect(() => flagLayer(trainOptions, { epsClip: '-1' })).toThrowError(/^--eps-clip is -1, expected/);
  });
});
