/** Benchmarks by name: where their questions are, and how LIMR's paper samples them (its eval/config.json and eval/eval.py). */
import { join } from 'node:path';
import { fieldOf } from '../dataset/fields.js';
import { type PromptSet, readPrompts } from '../dataset/prompts.js';
import { type DataRecord, streamRecords } from '../dataset/records.js';
import { didYouMean } from '../did-you-mean.js';
import { LimrError } from '../errors.js';
import { exists } from '../files.js';

/** A benchmark, and how the paper samples it (arXiv:2502.11886, section 3.1). */
export interface Benchmark {
  readonly name: string;
  /** Samples of each question, and their temperature; 0 = greedy. */
  readonly samplesPerQuestion: number;
  readonly temperature: number;
  /** The data set on the hub, and the part of it. */
  readonly hub?: string;
  /** The reference answer out of the label's text, where that holds more. */
  readonly goldOf?: (label: string) => string;
}

/** A small set needs several samples of each question; a large one is measured by one greedy sample. */
const sampled = { samplesPerQuestion: 4, temperature: 0.4 } as const;
const greedy = { samplesPerQuestion: 1, temperature: 0 } as const;

/** The benchmarks that are known by name. */
export const benchmarks: readonly Benchmark[] = [
  { name: 'aime24', ...sampled, hub: 'HuggingFaceH4/aime_2024' },
  { name: 'amc23', ...sampled, hub: 'math-ai/amc23' },
  { name: 'math500', ...greedy, hub: 'HuggingFaceH4/MATH-500' },
  {
    name: 'gsm8k',
    ...greedy,
    hub: 'openai/gsm8k:main/test',
    goldOf: (label) => label.slice(label.lastIndexOf('####')).replace(/^####/, '').trim(),
  },
  { name: 'minerva', ...greedy, hub: 'math-ai/minervamath' },
  { name: 'olympiadbench', ...greedy, hub: 'math-ai/olympiadbench' },
];

/** A benchmark and the data set that holds it. */
export interface BenchmarkSource {
  readonly benchmark: Benchmark;
  /** What `dataFiles` takes. */
  readonly path: string;
}

/**
 * What `--benchmarks` names.
 * @param list names of the table above, or `name=path` for a data set of one's own, with commas between
 * @param dataFolder holds `<name>.jsonl`, .json, .parquet or .arrow, or a folder `<name>`; "" = there is none
 * @param fetchData the path of a data set that the hub has; without it, nothing comes from there
 * @throws {LimrError} LIMR_USAGE for an unknown name, one that occurs twice, or a benchmark that is not in the folder; what `fetchData` throws
 */
export async function findBenchmarks(
  list: string,
  dataFolder: string,
  fetchData?: (name: string) => Promise<string>,
): Promise<readonly BenchmarkSource[]> {
  const sources: BenchmarkSource[] = [];
  for (const item of list.split(',').map((text) => text.trim())) {
    const source = await findBenchmark(item, dataFolder, fetchData);
    if (sources.some(({ benchmark }) => benchmark.name === source.benchmark.name)) {
      throw new LimrError('LIMR_USAGE', `--benchmarks names ${source.benchmark.name} twice`, 'Leave one of them out.');
    }
    sources.push(source);
  }
  return sources;
}

async function findBenchmark(
  item: string,
  dataFolder: string,
  fetchData?: (name: string) => Promise<string>,
): Promise<BenchmarkSource> {
  const [, name, path = ''] = /^([\w.-]+)(?:=(.+))?$/s.exec(item) ?? [];
  if (name === undefined) {
    throw new LimrError(
      'LIMR_USAGE',
      `--benchmarks has ${JSON.stringify(item)}, expected a name, or name=path`,
      'Write it as aime24,math500 or mine=questions.jsonl.',
    );
  }
  const known = benchmarks.find((benchmark) => benchmark.name === name);
  if (path !== '') return { benchmark: known ?? { name, ...greedy }, path: (await fetchData?.(path)) ?? path };
  const names = benchmarks.map((benchmark) => benchmark.name);
  if (known === undefined) {
    const hint = didYouMean(name, names) || `Known: ${names.join(', ')}; for a file of your own write ${name}=path.`;
    throw new LimrError('LIMR_USAGE', `there is no benchmark "${name}"`, hint);
  }
  const candidates =
    dataFolder === '' ? [] : ['.jsonl', '.json', '.parquet', '.arrow', ''].map((end) => join(dataFolder, name + end));
  for (const candidate of candidates) if (await exists(candidate)) return { benchmark: known, path: candidate };
  if (dataFolder === '' && known.hub !== undefined && fetchData !== undefined) {
    return { benchmark: known, path: await fetchData(known.hub) };
  }
  if (dataFolder !== '' && !(await exists(dataFolder))) {
    throw new LimrError('LIMR_IO', `there is no folder ${dataFolder}`, 'Check --data.');
  }
  throw new LimrError(
    'LIMR_USAGE',
    dataFolder === ''
      ? `where ${name} is was not said`
      : `${dataFolder} has no ${name}.jsonl, .json, .parquet or .arrow`,
    `Get it (${known.hub} on the hub) and name its folder by --data, or the file by --benchmarks ${name}=path.`,
  );
}

/** Fields of the question and of the reference answer; "" = the first of the usual ones that the first row has. */
export interface BenchmarkKeys {
  readonly inputKey: string;
  readonly labelKey: string;
}

const questionFields = ['question', 'problem', 'prompt', 'input'];
const answerFields = ['answer', 'final_answer.0', 'gold', 'label', 'target'];

/**
 * Reads a benchmark's questions.
 * @param limit questions at most, the first ones
 * @throws {LimrError} LIMR_IO, LIMR_FORMAT, LIMR_UNSUPPORTED
 */
export async function readBenchmark(
  { benchmark, path }: BenchmarkSource,
  keys: BenchmarkKeys,
  limit = Number.POSITIVE_INFINITY,
): Promise<PromptSet> {
  const first = await firstRecord(path);
  const set = await readPrompts(path, {
    inputKey: keys.inputKey || choose(first, questionFields),
    labelKey: keys.labelKey || choose(first, answerFields),
  });
  const { goldOf } = benchmark;
  const kept = <T>(rows: readonly T[], row: (item: T) => number) => rows.filter((item) => row(item) < limit);
  return {
    file: set.file,
    prompts: kept(set.prompts, ({ row }) => row).map((prompt) =>
      goldOf === undefined ? prompt : { ...prompt, answer: goldOf(prompt.answer) },
    ),
    duplicatePrompts: kept(set.duplicatePrompts, Number),
    duplicateIds: kept(set.duplicateIds, Number),
    emptyAnswers: kept(set.emptyAnswers, Number),
  };
}

async function firstRecord(path: string): Promise<DataRecord> {
  for await (const record of streamRecords(path)) return record;
  throw new LimrError('LIMR_INTERNAL', `${path} has no first row`); // streamRecords throws when there are no rows
}

/** The first of the fields that is there, else the first: its absence is then an error that names the fields there are. */
function choose(record: DataRecord, names: readonly string[]): string {
  return names.find((name) => (fieldOf(record, name) ?? null) !== null) ?? names[0]!;
}
