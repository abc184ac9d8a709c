/** What a refusal looks like to a user: one error with a fix, and every file as it was. */
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { runCli } from '../cli/run-cli.js';

/** Every file below a folder, with a digest of what it holds. */
export function snapshot(folder: string): readonly string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .map((entry) => {
      const path = join(entry.parentPath, entry.name);
      return entry.isFile() ? `${path} ${createHash('sha256').update(readFileSync(path)).digest('hex')}` : path;
    })
    .sort();
}

/**
 * Expects a command to fail with one error and a fix for it, nothing on stdout, no stack trace, and the folder as it was.
 * @param want what the error has, and what the fix has
 */
export async function expectRefusal(
  args: readonly string[],
  folder: string,
  want: { readonly code: number; readonly message: string; readonly fix: string },
): Promise<void> {
  const before = snapshot(folder);
  const { code, stdout, stderr } = await runCli(...args);
  const [error = '', fix = '', ...rest] = stderr.slice(Math.max(0, stderr.indexOf('limr-engine: '))).split('\n');
  expect(error).toMatch(/^limr-engine: .* \[LIMR_[A-Z]+\]$/);
  expect(error).toContain(want.message);
  expect(fix).toMatch(/^fix: ./);
  expect(fix).toContain(want.fix);
  expect(rest).toEqual(['']);
  expect([code, stdout]).toEqual([want.code, '']);
  expect(snapshot(folder)).toEqual(before);
}
