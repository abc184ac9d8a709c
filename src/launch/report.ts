/** A run as one HTML file, or as a page that is served while it trains. */
import { open, readdir, stat } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { basename, join, resolve } from 'node:path';
import { LimrError } from '../errors.js';
import { checkFilePlace, exists, temporaryPath, withIo, writeDurably } from '../files.js';
import type { ReportData, RunData } from '../report/data.js';
import { readPageParts, reportHtml, reportMarker } from '../report/html.js';
import { RunReader } from '../report/run-reader.js';
import { WatchServer } from '../report/watch-server.js';
import type { ReportOptions } from './report-options.js';

/** Bytes of a page's samples, and of their tokens, at most: with metrics and scores it stays below 20 MB. */
const maxSampleBytes = 6_000_000;

export interface ReportHooks {
  readonly signal?: AbortSignal;
  /** Files of samples read, of how many, of a run. */
  readonly onProgress?: (run: string, done: number, total: number) => void;
  /** Told of the address, such as "http://127.0.0.1:6007/", once the page is served. */
  readonly onListening?: (address: string) => void;
  /** Sentences for a person. */
  readonly remark?: (text: string) => void;
}

export interface ReportResult {
  /** The file; null when it was served. */
  readonly output: string | null;
  readonly bytes: number | null;
  readonly runs: readonly {
    readonly name: string;
    readonly rollouts: number;
    readonly samples: number;
    readonly embedded: number;
  }[];
}

/**
 * Writes the page, or serves it until the signal.
 * @throws {LimrError} LIMR_USAGE when there is no such run, or a file in the way that is no report; LIMR_FORMAT of a damaged run; LIMR_IO;
 *   LIMR_PLATFORM when the page is not built; LIMR_ABORTED
 */
export async function launchReport(options: ReportOptions, hooks: ReportHooks = {}): Promise<ReportResult> {
  const dirs = options.runs.length > 0 ? options.runs : [await newestRun()];
  refuseTwice(dirs);
  const names = shortNames(dirs);
  const title = options.title === '' ? names.join(', ') : options.title;
  if (options.watch) return watch(dirs, names, title, options, hooks);
  const output = options.output === '' ? join(dirs.length === 1 ? dirs[0]! : '.', 'report.html') : options.output;
  const runs: RunData[] = [];
  const parts = await readPageParts();
  const readers = await openRuns(dirs, names, options, hooks);
  await checkReportPlace(output);
  for (const reader of readers) runs.push(await reader.data());
  const html = reportHtml(page(title, runs, null), parts);
  await writeDurably(output, html);
  return { output, bytes: Buffer.byteLength(html), runs: runs.map(summaryOf) };
}

async function watch(
  dirs: readonly string[],
  names: readonly string[],
  title: string,
  options: ReportOptions,
  hooks: ReportHooks,
): Promise<ReportResult> {
  if (options.output !== '') {
    throw new LimrError('LIMR_USAGE', '--watch serves the page and writes no --output', 'Leave one of them out.');
  }
  const parts = await readPageParts();
  const readers = await openRuns(dirs, names, { ...options, samples: 0 }, hooks);
  const server = new WatchServer({
    readers,
    host: options.host,
    html: (runs, live) => reportHtml(page(title, runs, live), parts),
    ...(hooks.remark === undefined ? {} : { remark: hooks.remark }),
  });
  const address = await server.listen(options.port);
  hooks.onListening?.(address);
  await server.run(hooks.signal ?? new AbortController().signal);
  const runs = await Promise.all(readers.map((reader) => reader.data(false)));
  return { output: null, bytes: null, runs: runs.map(summaryOf) };
}

async function openRuns(
  dirs: readonly string[],
  names: readonly string[],
  { samples }: ReportOptions,
  { onProgress, signal }: ReportHooks,
): Promise<RunReader[]> {
  const readers: RunReader[] = [];
  for (const [i, dir] of dirs.entries()) {
    const name = names[i]!;
    const progress =
      onProgress === undefined ? {} : { onProgress: (done: number, total: number) => onProgress(name, done, total) };
    readers.push(
      await RunReader.open(dir, name, { samples, sampleBytes: maxSampleBytes / dirs.length, signal, ...progress }),
    );
  }
  return readers;
}

const page = (title: string, runs: readonly RunData[], live: ReportData['live']): ReportData => ({
  title,
  made: new Date().toISOString(),
  version: (createRequire(import.meta.url)('../../package.json') as { version: string }).version,
  live,
  runs,
});

function summaryOf({ name, done, samples }: RunData): ReportResult['runs'][number] {
  const { train, test } = samples.totals;
  return { name, rollouts: done, samples: train + test, embedded: samples.embedded.length };
}

/** The folder in runs/ that was written to last. @throws {LimrError} LIMR_USAGE when there is none */
async function newestRun(): Promise<string> {
  const names = (await exists('runs')) ? await withIo('list runs', () => readdir('runs')) : [];
  let newest: { readonly dir: string; readonly at: number } | undefined;
  for (const name of names) {
    const file = join('runs', name, 'run.json');
    if (!(await exists(file))) continue;
    const { mtimeMs: at } = await stat(file);
    if (newest === undefined || at > newest.at) newest = { dir: join('runs', name), at };
  }
  if (newest !== undefined) return newest.dir;
  throw new LimrError('LIMR_USAGE', 'there is no run in runs/', 'Name the folder of a run: limr-engine report FOLDER.');
}

function refuseTwice(dirs: readonly string[]): void {
  const places = dirs.map((dir) => resolve(dir));
  const twice = dirs.find((_, i) => places.indexOf(places[i]!) !== i);
  if (twice !== undefined) throw new LimrError('LIMR_USAGE', `${twice} is named twice`, 'Name every run once.');
}

/** The last parts of paths, as many as tell them apart. */
export function shortNames(dirs: readonly string[]): string[] {
  const parts = dirs.map((dir) => resolve(dir).split('/'));
  for (let depth = 1; ; ++depth) {
    const names = parts.map((own) => own.slice(-depth).join('/') || basename(own.join('/')) || '/');
    if (new Set(names).size === names.length || parts.every((own) => depth >= own.length)) return names;
  }
}

/**
 * Refuses a place where no file can be written, and one that has something else than a report: a slip such as `--output
 * metrics.html` must not cost anybody a file.
 */
async function checkReportPlace(output: string): Promise<void> {
  await checkFilePlace(output);
  const isPlain = (await temporaryPath(output)) !== output;
  if (!isPlain || !(await exists(output))) return;
  const start = Buffer.alloc(reportMarker.length);
  await withIo(`read ${output}`, async () => {
    const handle = await open(output);
    try {
      await handle.read(start, 0, start.length, 0);
    } finally {
      await handle.close();
    }
  });
  if (start.toString() === reportMarker) return;
  throw new LimrError(
    'LIMR_USAGE',
    `${output} exists, and is no report`,
    'Choose another --output, or remove that file first.',
  );
}
