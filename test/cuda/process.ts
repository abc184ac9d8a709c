/** The command line as npm test builds it, in a process of its own, with another environment. */
import { spawnSync } from 'node:child_process';
import { main } from '../promises/stoppable.js';

export interface Ran {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export function run(args: readonly string[], environment: Readonly<Record<string, string>> = {}): Ran {
  const { status, stdout, stderr } = spawnSync(process.execPath, [main, ...args], {
    encoding: 'utf8',
    env: { ...process.env, ...environment },
    maxBuffer: 1 << 26,
  });
  return { code: status, stdout, stderr };
}

/** @throws {Error} with what it said, unless it ends with 0 */
export function succeed(args: readonly string[], environment?: Readonly<Record<string, string>>): string {
  const { code, stdout, stderr } = run(args, environment);
  if (code !== 0) throw new Error(`${args.join(' ')} ended with ${code}: ${stderr}`);
  return stdout;
}
