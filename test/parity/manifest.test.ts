/** Golden files are the ones that MANIFEST.json says the scripts made: none edited by hand, added or left behind. */
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

const root = fileURLToPath(new URL('../golden/', import.meta.url));
const bookkeeping = new Set(['MANIFEST.json', '.gitignore']);

function filesBelow(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return entry.name === 'on-demand' ? [] : filesBelow(path);
    return [relative(root, path).split(sep).join('/')];
  });
}

it('golden files match their manifest; models and their outputs stay below 1.5 MB, other files below 100 kB each', () => {
  const manifest: { files: Record<string, { sha256: string; bytes: number }> } = JSON.parse(
    readFileSync(join(root, 'MANIFEST.json'), 'utf8'),
  );
  const found = filesBelow(root).filter((name) => !bookkeeping.has(name));
  expect(found.sort()).toEqual(Object.keys(manifest.files).sort());
  const digest = (name: string) =>
    createHash('sha256')
      .update(readFileSync(join(root, name)))
      .digest('hex');
  for (const name of found) expect(digest(name), name).toBe(manifest.files[name]!.sha256);
  const isTensors = (name: string) => /^(?:models|parity)\/|^losses/.test(name);
  const tensors = found.filter(isTensors).reduce((sum, name) => sum + manifest.files[name]!.bytes, 0);
  expect(tensors).toBeLessThan(1.5e6);
  for (const name of found.filter((name) => !isTensors(name)))
    expect(manifest.files[name]!.bytes, name).toBeLessThan(100e3);
});
