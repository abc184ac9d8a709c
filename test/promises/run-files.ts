/** What a run leaves, as far as it must not depend on kills, hosts and clocks. */
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { type Ended, runProcess, type StopOptions } from './stoppable.js';

/** Path -> text, or for weights and optimizer states size and SHA-256. A cursor counts without its record and clock-bound lengths. */
export function runFiles(dir: string): Map<string, string> {
  const paths = readdirSync(dir, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(dir, join(entry.parentPath, entry.name)))
    .filter((path) => path !== 'timings.jsonl' && path !== 'run.json' && !path.endsWith('.grading.jsonl'))
    .sort();
  return new Map(paths.map((path) => [path, contentOf(join(dir, path))]));
}

function contentOf(path: string): string {
  const bytes = readFileSync(path);
  if (/\.(bin|safetensors)$/.test(path)) {
    return `${bytes.length} bytes, sha256 ${createHash('sha256').update(bytes).digest('hex')}`;
  }
  if (!path.endsWith('cursor.json')) return bytes.toString();
  const { rollout, state, logs } = JSON.parse(bytes.toString()) as Cursor;
  return JSON.stringify({ rollout, state, metrics: logs.metrics });
}

interface Cursor {
  readonly rollout: number;
  readonly state: object;
  readonly logs: { readonly metrics: number };
}

/** As its user would: --resume when the folder holds a run, else from the beginning. */
export function goOn(
  dir: string,
  beginning: readonly string[],
  threads: number,
  options?: StopOptions,
): Promise<Ended> {
  const holdsRun = existsSync(join(dir, 'run.json'));
  const args = holdsRun ? ['train', '--resume', '--output', dir] : beginning;
  return runProcess([...args, '--threads', String(threads)], options);
}

/** The rollouts that metrics.jsonl and timings.jsonl tell of, in their order. */
export function loggedRollouts(dir: string): Record<'metrics' | 'timings', number[]> {
  const rolloutsOf = (name: string) => {
    const rows = readFileSync(join(dir, `${name}.jsonl`), 'utf8')
      .trimEnd()
      .split('\n');
    return rows.map((row) => (JSON.parse(row) as { rollout: number }).rollout);
  };
  return { metrics: rolloutsOf('metrics'), timings: rolloutsOf('timings') };
}
