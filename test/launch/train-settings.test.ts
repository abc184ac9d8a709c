import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type ConfigLayer, flagLayer } from '../../src/config.js';
import { embeddedEvalPrompts, embeddedModel, embeddedPrompts } from '../../src/launch/embedded.js';
import { trainRunOptions } from '../../src/launch/options.js';
import { resolveTrainSettings } from '../../src/launch/train-settings.js';
import { trainDefaults, trainOptions } from '../../src/ppo/config.js';
import { recipes } from '../../src/ppo/recipes.js';

const given = (flags: Record<string, unknown> = {}): ConfigLayer =>
  flagLayer({ ...trainRunOptions, ...trainOptions }, flags);

let folder = '';
const before = process.cwd();
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'limr-settings-'));
  process.chdir(folder);
});
afterEach(() => {
  process.chdir(before);
  rmSync(folder, { recursive: true });
});

describe('resolveTrainSettings', () => {
  it('without options: limr-nano, its prompts, recipe nano, a fresh folder', async () => {
    const settings = await resolveTrainSettings(given());
    expect(settings).toMatchObject({
      model: embeddedModel,
      prompts: embeddedPrompts,
      evalPrompts: [embeddedEvalPrompts],
      recipe: 'nano',
      output: 'runs/limr-nano-1',
    });
    expect(settings.config).toMatchObject(recipes.nano);
  });

  it('numbers runs on', async () => {
    for (const name of ['limr-nano-2', 'limr-nano-10', 'limr-nano-x', 'other-30']) {
      mkdirSync(join('runs', name), { recursive: true });
    }
    expect((await resolveTrainSettings(given())).output).toBe('runs/limr-nano-11');
  });

  it('another model has the defaults and no prompts of its own', async () => {
    const settings = await resolveTrainSettings(given({ model: 'models/mine' }));
    expect(settings).toMatchObject({ recipe: 'none', prompts: '', evalPrompts: [], output: 'runs/mine-1' });
    expect(settings.config).toEqual(trainDefaults);
  });

  it('other prompts bring no held-out set of limr-nano', async () => {
    const settings = await resolveTrainSettings(given({ prompts: 'mine.jsonl' }));
    expect(settings).toMatchObject({ prompts: 'mine.jsonl', evalPrompts: [], recipe: 'nano' });
  });

  it('a flag beats compat, which beats the recipe, which beats the default', async () => {
    const limr = await resolveTrainSettings(given({ recipe: 'limr' }));
    expect(limr.config).toMatchObject({ temperature: 1.2, dropLast: false, logprobTemperature: null });
    const compat = await resolveTrainSettings(given({ recipe: 'limr', compat: 'limr' }));
    expect(compat.config).toMatchObject({ temperature: 1.2, dropLast: true, logprobTemperature: 1 });
    const flagged = await resolveTrainSettings(given({ recipe: 'limr', compat: 'limr', dropLast: false }));
    expect(flagged.config).toMatchObject({ temperature: 1.2, dropLast: false });
  });

  it('a resumed run keeps what it recorded, under what is given now', async () => {
    mkdirSync('runs/limr-nano-3', { recursive: true });
    const options = {
      model: '/models/mine',
      prompts: '/mine.jsonl',
      labelKey: 'gold',
      threads: 7,
      output: 'elsewhere',
    };
    const config = { ...trainDefaults, gamma: 0.5, rollouts: 9, maxSteps: 90 };
    const record = { config, identity: {}, about: { options }, changes: [] };
    writeFileSync('runs/limr-nano-3/run.json', JSON.stringify(record));
    const settings = await resolveTrainSettings(given({ resume: true, rollouts: '12' }));
    expect(settings).toMatchObject({ output: 'runs/limr-nano-3', model: '/models/mine', prompts: '/mine.jsonl' });
    expect(settings.config).toMatchObject({ gamma: 0.5, rollouts: 12, maxSteps: 90 });
    expect(settings.run).toMatchObject({ labelKey: 'gold', threads: null, resume: true });
  });

  it('refuses to resume what is not there', async () => {
    await expect(resolveTrainSettings(given({ resume: true }))).rejects.toMatchObject({
      code: 'LIMR_USAGE',
      message: expect.stringContaining('no runs/limr-nano-<n> to resume'),
    });
    await expect(resolveTrainSettings(given({ resume: true, output: 'nowhere' }))).rejects.toMatchObject({
      code: 'LIMR_USAGE',
      message: 'nowhere holds no run to resume',
    });
  });
});
