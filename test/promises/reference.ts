/** A tiny run that was never stopped, its stop points, and the comparison of stopped ones with it. */
import { mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'vitest';
import { goOn, loggedRollouts, runFiles } from './run-files.js';
import { buildStopPoints, type Ended, type StopOptions, type StopPoint, stopPoints } from './stoppable.js';
import { limRun, makeTinyRun } from './tiny-run.js';

export class Reference {
  private count = 0;

  private constructor(
    /** Everything lies in it, and goes with it. */
    readonly root: string,
    private readonly stopLibrary: string,
    readonly points: readonly StopPoint[],
    readonly files: ReadonlyMap<string, string>,
  ) {}

  static async make(): Promise<Reference> {
    const root = realpathSync(mkdtempSync(join(tmpdir(), 'limr-promises-')));
    const library = buildStopPoints(root);
    await makeTinyRun(root);
    const [dir, trace] = [join(root, 'reference'), join(root, 'trace')];
    const { end, stderr } = await goOn(dir, limRun(root, dir), 1, { library, root: dir, trace });
    expect(end, stderr).toBe(0);
    return new Reference(root, library, stopPoints(trace), runFiles(dir));
  }

  /** A folder for a run, not made yet. */
  fresh(): string {
    return join(this.root, `run-${++this.count}`);
  }

  /** Begins a run, or goes on with it, and stops it. */
  stopped(dir: string, stop: string, signal: NonNullable<StopOptions['signal']>): Promise<Ended> {
    return goOn(dir, limRun(this.root, dir), 1, { library: this.stopLibrary, root: dir, stop, signal });
  }

  /** Finishes a run, with another number of threads, since they decide nothing, compares it, and removes it. */
  async expectSame(dir: string, where: string): Promise<void> {
    const { end, stderr } = await goOn(dir, limRun(this.root, dir), 2);
    expect(end, `${where}\n${stderr}`).toBe(0);
    const files = runFiles(dir);
    expect([...files.keys()], where).toEqual([...this.files.keys()]);
    for (const [name, content] of this.files) expect(files.get(name), `${name}, ${where}`).toBe(content);
    const rollouts = [0, 1, 2, 3, 4];
    expect(loggedRollouts(dir), where).toEqual({ metrics: rollouts, timings: rollouts });
    rmSync(dir, { recursive: true });
  }

  remove(): void {
    rmSync(this.root, { recursive: true });
  }
}
