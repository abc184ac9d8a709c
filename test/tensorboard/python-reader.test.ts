/** TensorBoard's own reader finds what a run logged: LIMR_TEST_PYTHON names a Python that has tensorboard. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { train } from '../../src/ppo/train.js';
import { bigramJob, text } from '../ppo/bigram-job.js';

const python = process.env.LIMR_TEST_PYTHON;
const isThere = python !== undefined && spawnSync(python, ['-c', 'import tensorboard']).status === 0;
const script = fileURLToPath(new URL('../../scripts/golden/check_tensorboard.py', import.meta.url));

let dir: string;
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'limr-tensorboard-'));
});
afterAll(() => rmSync(dir, { recursive: true }));

/** What each letter of a response is decoded to. */
const hostile = [
  '<script>alert(1)</script>',
  '\u001b[31m',
  '```\n',
  '**b**',
  '\n# h\n',
  '<!--',
  '&lt;',
  '\n\n',
  '\r',
  '|',
];

it.skipIf(!isThere)('reads every scalar, text and histogram, and no markup', () => {
  const decode: typeof text.decode = (tokens, options) =>
    Array.from(text.decode(tokens, options), (letter) => hostile[letter.charCodeAt(0) % hostile.length]).join('');
  return train({ ...bigramJob(dir), text: { decode }, run: { ...bigramJob(dir).run, events: dir } }).then(() => {
    const { status, stdout, stderr } = spawnSync(python!, [script, dir], { encoding: 'utf8' });
    expect(stderr.replace(/^.*(WARNING|warn).*$/gm, '').trim()).toBe('');
    expect(JSON.parse(stdout)).toMatchObject({
      rollouts: [1, 2, 3, 4],
      checks: { scalars: true, texts: true, 'no markup': true, histograms: true },
      different: [],
    });
    expect(status).toBe(0);
  });
});
