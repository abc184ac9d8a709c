import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { root } from '../../scripts/project.js';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'limr-ci-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

/** Runs the CI script in a checkout that has these stages alone, and ../shared or not. */
function ci(stages: Record<string, string>, { args = [] as string[], ci = 'false', shared = true } = {}) {
  const checkout = path.join(folder, 'checkout');
  for (const tier of ['fast', 'full']) mkdirSync(path.join(checkout, '.ci', tier), { recursive: true });
  if (shared) mkdirSync(path.join(folder, 'shared'), { recursive: true });
  cpSync(path.join(root, '.ci/run'), path.join(checkout, '.ci/run'));
  for (const [name, text] of Object.entries(stages)) writeFileSync(path.join(checkout, '.ci', `${name}.sh`), text);
  const result = spawnSync('bash', ['.ci/run', ...args], {
    cwd: checkout,
    encoding: 'utf8',
    env: { ...process.env, CI: ci },
  });
  return { code: result.status, last: result.stdout.trimEnd().split('\n').at(-1), text: result.stdout + result.stderr };
}

const pass = '# budget_s: 20\ntrue\n';

describe('.ci/run', () => {
  it('passes when every stage passes', () => {
    expect(ci({ 'fast/10-a': pass, 'fast/20-b': pass })).toMatchObject({
      code: 0,
      last: '2 passed, 0 failed, 0 skipped',
    });
  });

  it('goes on after a failure, unless the stage is needed', () => {
    const fails = { 'fast/10-a': '# budget_s: 20\nexit 3\n', 'fast/20-b': pass };
    expect(ci(fails)).toMatchObject({ code: 1, last: '1 passed, 1 failed, 0 skipped' });
    const needed = { ...fails, 'fast/10-a': '# budget_s: 20\n# needed: yes\nexit 3\n' };
    expect(ci(needed)).toMatchObject({ code: 1, last: '0 passed, 1 failed, 0 skipped' });
  });

  it('names a stage that exceeds its budget, and ends one that takes twice as long', () => {
    const slow = ci({ 'fast/10-a': '# budget_s: 0\nsleep 1\n' });
    expect(slow.text).toContain('passed, over its budget');
    const result = ci({ 'fast/10-a': '# budget_s: 1\nsleep 30\n' });
    expect(result).toMatchObject({ code: 1, last: '0 passed, 1 failed, 0 skipped' });
    expect(result.text).toContain('over twice its budget of 1 s');
  });

  it('counts a skip, and fails it under CI', () => {
    const stages = { 'fast/10-a': '# budget_s: 20\nexit 77\n', 'fast/20-b': pass };
    expect(ci(stages)).toMatchObject({ code: 0, last: '1 passed, 0 failed, 1 skipped' });
    expect(ci(stages, { ci: 'true' })).toMatchObject({ code: 1, last: '1 passed, 1 failed, 0 skipped' });
  });

  it('fails under CI without ../shared, without a stage to run, and when the tier is promised too much time', () => {
    expect(ci({ 'fast/10-a': pass }, { ci: 'true', shared: false })).toMatchObject({ code: 1 });
    expect(ci({ 'fast/10-a': pass }, { args: ['nothing'] })).toMatchObject({ code: 1 });
    expect(ci({ 'fast/10-a': '# budget_s: 1501\ntrue\n' })).toMatchObject({ code: 1 });
    expect(ci({ 'fast/10-a': 'true\n' })).toMatchObject({ code: 1 });
  });

  it('runs the full tier when asked', () => {
    const stages = { 'fast/10-a': pass, 'full/20-b': '# budget_s: 3600\ntrue\n' };
    expect(ci(stages)).toMatchObject({ last: '1 passed, 0 failed, 0 skipped' });
    expect(ci(stages, { args: ['--full'] })).toMatchObject({ code: 0, last: '2 passed, 0 failed, 0 skipped' });
  });
});
