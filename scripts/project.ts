/** What the scripts know of the project: its root, its files, and how to run a command in it. */
import { spawn, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = fileURLToPath(new URL('..', import.meta.url));

export interface SourceFile {
  /** Relative to the root, with forward slashes. */
  readonly path: string;
  readonly text: string;
}

/** All files that git tracks or would track, sorted; deleted ones excluded. */
export function projectFiles(): string[] {
  const list = (...args: string[]) => {
    const git = spawnSync('git', ['ls-files', '-z', ...args], { cwd: root, encoding: 'utf8', maxBuffer: 1 << 28 });
    if (git.status !== 0) throw new Error(`git ls-files failed: ${git.stderr}`);
    return git.stdout.split('\0').filter((name) => name !== '');
  };
  const deleted = new Set(list('--deleted'));
  return [...new Set(list('--cached', '--others', '--exclude-standard'))].filter((name) => !deleted.has(name)).sort();
}

/** The files whose path matches, with their text. */
export function readFiles(paths: readonly string[], pattern: RegExp): SourceFile[] {
  return paths
    .filter((name) => pattern.test(name))
    .map((name) => ({ path: name, text: readFileSync(path.join(root, name), 'utf8') }));
}

export interface RunResult {
  readonly ok: boolean;
  /** stdout and stderr together, in the order they came. */
  readonly output: string;
  /** "exit code 1", "SIGSEGV". */
  readonly how: string;
}

/** Runs a command in the root. `show` also passes its output on while it runs. */
export function run(command: string, args: readonly string[], { show = false } = {}): Promise<RunResult> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] });
    const chunks: Buffer[] = [];
    for (const [from, to] of [
      [child.stdout, process.stdout],
      [child.stderr, process.stderr],
    ] as const) {
      from.on('data', (chunk: Buffer) => {
        chunks.push(chunk);
        if (show) to.write(chunk);
      });
    }
    child.on('error', reject);
    child.on('close', (code, signal) => {
      const output = Buffer.concat(chunks).toString('utf8');
      resolve({ ok: code === 0, output, how: signal ?? `exit code ${code}` });
    });
  });
}

/** Path of a tool that npm installed. */
export const tool = (name: string): string => path.join(root, 'node_modules', '.bin', name);
