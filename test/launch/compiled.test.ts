/** Grading threads of the compiled package (dist/, which npm test makes first): another worker entry than that of the sources. */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

const main = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));

it('grade as the main thread does', () => {
  if (!existsSync(main)) throw new Error(`${main} is missing: npm run build makes it, and npm test does so first`);
  const root = mkdtempSync(join(tmpdir(), 'limr-compiled-'));
  try {
    const rows = Array.from({ length: 200 }, (_, i) => JSON.stringify({ id: i, gold: `${i % 7}`, pred: `${i % 5}` }));
    writeFileSync(join(root, 'pairs.jsonl'), `${rows.join('\n')}\n`);
    const [alone, pooled] = ['0', '2'].map((workers) => {
      const output = join(root, `${workers}.jsonl`);
      const args = ['verify', '--input', join(root, 'pairs.jsonl'), '--output', output, '--reward-workers', workers];
      const { status, stderr } = spawnSync(process.execPath, [main, ...args], { encoding: 'utf8' });
      expect([status, stderr]).toEqual([0, '']);
      return readFileSync(output, 'utf8').replace(/,"ms":[^}]*/g, '');
    });
    expect(pooled).toBe(alone);
    expect(alone!.match(/"equal":true/g)).toHaveLength(30);
  } finally {
    rmSync(root, { recursive: true });
  }
});
