/**
 * Reads a run folder for a page, and again whenever it has grown: lines that were appended, rollouts whose samples are there, epochs
 * that have ended. One pass over the samples serves the learning impact and the choice of samples alike; what is held is the choice and
 * 8 bytes a prompt and epoch.
 */
import { readdir, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { LimrError } from '../errors.js';
import { exists, hasCode, withIo } from '../files.js';
import { isObject } from '../json.js';
import { trainDefaults } from '../ppo/config.js';
import { readRecord } from '../run/record.js';
import { ColumnTable } from './columns.js';
import type { Learning, NoLearning, RecordData, RunData, SampleView, Settings, Split } from './data.js';
import { learningRule, measureLearning } from './learning.js';
import { LogTail } from './log-tail.js';
import { bytesOf, type SampleOptions, SamplePass } from './sample-pass.js';
import { readTokens, runTokenizer } from './token-files.js';

/** What `refresh` found. */
export interface RunChange {
  /** The run was cut back, and everything was read anew. */
  readonly isReset: boolean;
  /** Rows of metrics and timings that were there before. */
  readonly metrics: number;
  readonly timings: number;
  readonly hasRows: boolean;
  readonly hasSamples: boolean;
  readonly hasLearning: boolean;
}

export class RunReader {
  private metrics = new ColumnTable();
  private timings = new ColumnTable();
  private metricsTail: LogTail;
  private timingsTail: LogTail;
  private record: RecordData | null = null;
  private samples: SamplePass;
  private learning: Learning | NoLearning = { absent: 'There are no samples.' };
  private measuredEpochs = -1;
  private generation = 0;
  private recordInode: number | undefined;

  private constructor(
    readonly dir: string,
    readonly name: string,
    private readonly options: SampleOptions,
  ) {
    this.metricsTail = new LogTail(join(dir, 'metrics.jsonl'));
    this.timingsTail = new LogTail(join(dir, 'timings.jsonl'));
    this.samples = new SamplePass(dir, options);
  }

  /**
   * Reads all that is there.
   * @param name what the page calls the run
   * @throws {LimrError} LIMR_USAGE when there is no run; LIMR_FORMAT of a damaged file; LIMR_IO; LIMR_ABORTED
   */
  static async open(dir: string, name: string, options: SampleOptions): Promise<RunReader> {
    await checkIsRun(dir);
    const reader = new RunReader(dir, name, options);
    await reader.refresh();
    return reader;
  }

  get position(): { readonly generation: number; readonly metrics: number; readonly timings: number } {
    return { generation: this.generation, metrics: this.metrics.length, timings: this.timings.length };
  }

  /** Reads what has been added since. @throws {LimrError} as `open` */
  async refresh(): Promise<RunChange> {
    const before = this.position;
    const [metrics, timings] = [await this.metricsTail.read(), await this.timingsTail.read()];
    const isReset = metrics.isReset || timings.isReset || (await this.isResumed());
    if (isReset) {
      await this.restart();
      return { isReset, metrics: 0, timings: 0, hasRows: true, hasSamples: true, hasLearning: true };
    }
    for (const row of metrics.rows) this.metrics.add(row);
    for (const row of timings.rows) this.timings.add(row);
    if (this.record === null) {
      this.record = await readRecordData(this.dir);
      if (this.record !== null) this.samples.rule = learningRule(this.record.config);
    }
    const hasSamples = await this.samples.read(rolloutsOf(this.record));
    const hasLearning = hasSamples && (await this.measure());
    const hasRows = metrics.rows.length + timings.rows.length > 0;
    return { isReset, metrics: before.metrics, timings: before.timings, hasRows, hasSamples, hasLearning };
  }

  /** Rows after the first ones. */
  rowsFrom(metrics: number, timings: number): Pick<RunData, 'metrics' | 'timings'> {
    return { metrics: this.metrics.from(metrics), timings: this.timings.from(timings) };
  }

  get totals(): RunData['samples']['totals'] {
    return this.samples.totals;
  }

  get learningData(): Learning | NoLearning {
    return this.learning;
  }

  /** Which rollouts of a split have samples. */
  rollouts(split: Split): readonly number[] {
    return this.samples.rollouts(split);
  }

  hasTokens(rollout: number): boolean {
    return this.samples.withTokens.has(rollout);
  }

  get modelFolder(): unknown {
    return this.record?.about.modelFolder;
  }

  /** @param embed whether the chosen samples are in it */
  async data(embed = true): Promise<RunData> {
    const rows = this.rowsFrom(0, 0);
    const { notes, embedded } = embed ? await this.chosen() : { notes: [], embedded: [] };
    return {
      name: this.name,
      generation: this.generation,
      done: (rows.metrics.rollout ?? []).reduce<number>((most, rollout) => Math.max(most, rollout ?? 0), 0),
      rollouts: rolloutsOf(this.record),
      ...rows,
      record: this.record,
      learning: this.learning,
      samples: { totals: this.totals, embedded },
      notes: [...this.missing(), ...notes],
    };
  }

  private async chosen(): Promise<{ readonly notes: readonly string[]; readonly embedded: readonly SampleView[] }> {
    const chosen = this.samples.chosen();
    const byRollout = new Map<number, Set<number>>();
    for (const { hasTokens, rollout, row } of chosen)
      if (hasTokens) byRollout.set(rollout, (byRollout.get(rollout) ?? new Set()).add(row));
    if (byRollout.size === 0) return { notes: [], embedded: chosen };
    const texts = await runTokenizer(this.dir, this.modelFolder);
    const tokens = new Map<string, NonNullable<SampleView['tokens']>>();
    let size = 0;
    let left = 0;
    for (const [rollout, rows] of byRollout) {
      for (const [row, view] of await readTokens(this.dir, rollout, rows, texts)) {
        size += bytesOf(view);
        if (size > this.options.sampleBytes) left += 1;
        else tokens.set(`${rollout}/${row}`, view);
      }
    }
    const embedded = chosen.map((sample) => {
      const view = sample.hasTokens ? tokens.get(`${sample.rollout}/${sample.row}`) : undefined;
      return view === undefined ? sample : { ...sample, tokens: view };
    });
    const notes = [
      ...(texts === null ? ['There is no tokenizer in its checkpoints, so tokens are shown by their numbers.'] : []),
      ...(left === 0 ? [] : [`The tokens of ${left} samples are left out, for the size of this file.`]),
    ];
    return { notes, embedded };
  }

  /** Whether run.json is another one: a run that is resumed writes it anew, with what has changed. */
  private async isResumed(): Promise<boolean> {
    const file = await stat(join(this.dir, 'run.json')).catch(() => undefined); // not there yet, or never
    const before = this.recordInode;
    this.recordInode = file?.ino;
    return before !== undefined && file !== undefined && before !== file.ino;
  }

  private missing(): string[] {
    const { train, test } = this.totals;
    return [
      ...(this.record === null ? ['It has no run.json: configuration and machine are unknown.'] : []),
      ...(this.metrics.length === 0 ? ['It has no metrics yet.'] : []),
      ...(this.timings.length === 0 ? ['It has no timings: speed and memory are unknown.'] : []),
      ...(train + test === 0 ? ['It has no samples.'] : []),
    ];
  }

  private async restart(): Promise<void> {
    this.generation += 1;
    this.metrics = new ColumnTable();
    this.timings = new ColumnTable();
    this.metricsTail = new LogTail(this.metricsTail.file);
    this.timingsTail = new LogTail(this.timingsTail.file);
    this.record = null;
    this.samples = new SamplePass(this.dir, this.options);
    this.measuredEpochs = -1;
    await this.refresh();
  }

  /** @returns whether there is something new to say of learning */
  private async measure(): Promise<boolean> {
    const { collected, epochs, absent } = this.samples;
    if (absent !== undefined) {
      const isNew = !('absent' in this.learning) || this.learning.absent !== absent;
      this.learning = { absent };
      return isNew;
    }
    if (epochs === this.measuredEpochs) return false;
    this.measuredEpochs = epochs;
    const { rule } = this.samples;
    const wanted = rule.decisive !== null && rule.decisive < epochs ? rule.decisive : epochs;
    const name = `lim/epoch_${wanted}.jsonl`;
    const path = join(this.dir, name);
    const isThere = (await exists(path)) && (await stat(path)).size > 0;
    this.learning = await measureLearning(collected, wanted, rule, isThere ? { path, name } : undefined);
    return true;
  }
}

/** @throws {LimrError} LIMR_USAGE, LIMR_IO */
async function checkIsRun(dir: string): Promise<void> {
  const names = await withIo(`read the run ${dir}`, () => readdir(dir)).catch((error: unknown) => {
    const isNone = error instanceof LimrError && (hasCode(error.cause, 'ENOENT') || hasCode(error.cause, 'ENOTDIR'));
    throw isNone
      ? new LimrError('LIMR_USAGE', `there is no run folder ${dir}`, 'Name the folder that train wrote: its --output.')
      : error;
  });
  if (names.some((name) => ['run.json', 'metrics.jsonl'].includes(name))) return;
  throw new LimrError(
    'LIMR_USAGE',
    `${dir} holds no run: it has neither run.json nor metrics.jsonl`,
    `Name the folder that train wrote, not ${basename(dir) === 'samples' ? 'its samples' : 'one above or below it'}.`,
  );
}

async function readRecordData(dir: string): Promise<RecordData | null> {
  const record = await readRecord(dir);
  if (record === null) return null;
  const config = record.config as Settings;
  const chosen = Object.entries(config).flatMap(([name, value]) => {
    const initial = (trainDefaults as Readonly<Record<string, unknown>>)[name];
    return JSON.stringify(value) === JSON.stringify(initial) ? [] : [name];
  });
  const changes = record.changes.filter((change) => isObject(change as never)) as unknown as Settings[];
  return { config, chosen, identity: record.identity as Settings, about: record.about as Settings, changes };
}

function rolloutsOf(record: RecordData | null): number | null {
  const rollouts = record?.config.rollouts;
  return typeof rollouts === 'number' ? rollouts : null;
}
