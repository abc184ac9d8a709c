import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { completeOptions } from '../../src/config.js';
import { chooseMachine } from '../../src/launch/machine.js';
import { sftRunOptions } from '../../src/launch/options.js';
import { launchSft } from '../../src/launch/sft.js';
import { loadNative } from '../../src/native.js';
import { sftOptions } from '../../src/sft/config.js';

it('a model that the disk has no room for is refused before it is trained', async () => {
  const root = mkdtempSync(join(tmpdir(), 'limr-room-'));
  try {
    const data = join(root, 'examples.jsonl');
    writeFileSync(data, '{"prompt": "1+1?", "response": "2"}\n');
    const native = loadNative();
    const addon = Object.assign(Object.create(native), {
      plan: (request: Parameters<typeof native.plan>[0]) => ({ ...native.plan(request), weightBytes: 5e14 }),
    });
    const run = { ...completeOptions(sftRunOptions, new Map()), data, output: join(root, 'model') };
    const machine = { ...chooseMachine(run, addon), limitBytes: Number.POSITIVE_INFINITY };
    await expect(launchSft(run, completeOptions(sftOptions, new Map()), machine)).rejects.toMatchObject({
      code: 'LIMR_IO',
      message: expect.stringMatching(/^the model has 500 TB, and .* are free for .*model$/),
    });
    expect(readdirSync(root)).toEqual(['examples.jsonl']);
  } finally {
    rmSync(root, { recursive: true });
  }
});
