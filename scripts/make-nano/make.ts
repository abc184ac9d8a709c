/**
 * Makes limr-nano again, from a seed: data files, corpus, random weights, pre-training by this engine's own `sft`, and the
 * model card's table of what the base model can do.
 *
 *   npx tsx scripts/make-nano/make.ts --output DIR [--seed S] [--examples N] [--only data]
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { copyFile, mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { finished } from 'node:stream/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import type { Outcome } from '../../src/eval/accuracy.js';
import { type Accuracy, accuracies, accuracyTable, type Completion, grade } from './evaluate.js';
import { dataFiles, nanoPromptSets, nanoSeed } from './files.js';
import { corpusRecord, type PromptRecord } from './generate.js';

const samplesPerPrompt = 8;

/** The table stands between these two lines of the model card. */
const tableMarks = ['<!-- accuracy -->', '<!-- /accuracy -->'] as const;

/** Settings of the pre-training; the loss is on responses alone. The seed is that of the order of examples. */
const training = {
  learningRate: '2e-3',
  minLrRatio: '0.02',
  warmupSteps: '100',
  weightDecay: '0.1',
  sequencesPerStep: 64,
  microTrainMaxTokens: '4096',
  steps: 5500,
  seed: 42,
};

const repository = join(dirname(fileURLToPath(import.meta.url)), '..', '..');

/** Runs the command line of this package; its progress goes to our stderr. */
async function limrEngine(args: readonly string[]): Promise<void> {
  const child = spawn(process.execPath, [join(repository, 'dist', 'cli', 'main.js'), ...args], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const code = await new Promise<number | null>((settle, reject) => {
    child.on('error', reject);
    child.on('close', settle);
  });
  if (code !== 0) throw new Error(`limr-engine ${args.join(' ')} ended with exit code ${code}`);
}

/** Writes examples 0, 1, ..., `count` of them. */
async function writeCorpus(file: string, seed: number, count: number, heldoutKeys: ReadonlySet<string>): Promise<void> {
  const stream = createWriteStream(file);
  for (let index = 0; index < count; index++) {
    const { prompt, response } = corpusRecord(seed, index, heldoutKeys);
    if (!stream.write(`${JSON.stringify({ prompt, response })}\n`)) await once(stream, 'drain');
  }
  stream.end();
  await finished(stream);
}

/** Samples of every held-out prompt, graded. @returns [prompt][sample] */
async function sampleHeldout(
  model: string,
  records: readonly PromptRecord[],
  work: string,
  seed: number,
  temperature: number,
  count: number,
): Promise<Outcome[][]> {
  const output = join(work, `heldout-t${temperature}.jsonl`);
  await limrEngine([
    ...['generate', '--model', model, '--input', join(model, 'heldout.jsonl'), '--output', output],
    ...['--temperature', `${temperature}`, '--n-samples-per-prompt', `${count}`],
    ...['--generate-max-len', '128', '--seed', `${seed}`],
  ]);
  const grades = records.map((): (Outcome | undefined)[] => new Array(count).fill(undefined));
  for (const line of (await readFile(output, 'utf8')).trim().split('\n')) {
    const completion = JSON.parse(line) as Completion;
    const record = records[completion.prompt];
    const row = grades[completion.prompt];
    if (record !== undefined && row !== undefined) row[completion.sample] = grade(record, completion);
  }
  return grades.map((row, i) =>
    Array.from(row, (each, sample) => {
      if (each === undefined) throw new Error(`${output} lacks sample ${sample} of prompt ${i}`);
      return each;
    }),
  );
}

/** Puts the table between the marks of the model card. */
async function updateCard(card: string, rows: readonly Accuracy[]): Promise<void> {
  const text = await readFile(card, 'utf8');
  const [begin, end] = tableMarks.map((mark) => text.indexOf(mark)) as [number, number];
  if (begin < 0 || end < begin) throw new Error(`${card} lacks the lines ${tableMarks.join(' and ')}`);
  const table = accuracyTable(rows, samplesPerPrompt);
  await writeFile(card, `${text.slice(0, begin)}${tableMarks[0]}\n\n${table}\n\n${text.slice(end)}`);
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      output: { type: 'string' },
      seed: { type: 'string', default: `${nanoSeed}` },
      examples: { type: 'string', default: '400000' },
      only: { type: 'string' },
    },
  });
  const [seed, examples] = [Number(values.seed), Number(values.examples)];
  if (values.output === undefined) throw new Error('--output DIR is missing');
  if (!Number.isInteger(seed) || !(examples > 0))
    throw new Error('--seed wants an integer, --examples a positive number');
  if (values.only !== undefined && values.only !== 'data') throw new Error(`--only ${values.only}: known is data`);

  const output = values.output;
  const work = join(output, 'work');
  const sets = nanoPromptSets(seed);
  await mkdir(output, { recursive: true });
  for (const [name, content] of dataFiles(sets)) await writeFile(join(output, name), content);
  if (values.only === 'data') return;

  await mkdir(work, { recursive: true });
  const corpus = join(work, 'corpus.jsonl');
  await writeCorpus(corpus, seed, examples, sets.heldoutKeys);
  const initial = join(work, 'initial');
  await limrEngine([
    'model',
    'create',
    '--config',
    join(output, 'config.json'),
    '--seed',
    `${seed}`,
    '--output',
    initial,
  ]);
  for (const name of ['tokenizer.json', 'tokenizer_config.json'])
    await copyFile(join(output, name), join(initial, name));
  const trained = join(work, 'trained');
  await limrEngine([
    ...['sft', '--model', initial, '--data', corpus, '--output', trained, '--seed', `${training.seed}`],
    ...[
      '--max-steps',
      `${training.steps}`,
      '--gradient-checkpointing',
      'false',
      '--train-batch-size',
      `${training.sequencesPerStep}`,
      '--micro-train-max-tokens',
      training.microTrainMaxTokens,
    ],
    ...['--learning-rate', training.learningRate, '--min-lr-ratio', training.minLrRatio],
    ...['--lr-warmup-steps', training.warmupSteps, '--l2', training.weightDecay],
  ]);
  await copyFile(join(trained, 'model.safetensors'), join(output, 'model.safetensors'));

  const greedy = await sampleHeldout(output, sets.heldout, work, seed, 0, 1);
  const sampled = await sampleHeldout(output, sets.heldout, work, seed, 1, samplesPerPrompt);
  const rows = accuracies(sets.heldout, sampled, greedy);
  process.stdout.write(`${accuracyTable(rows, samplesPerPrompt)}\n`);
  const [template, card] = [join(repository, 'models', 'limr-nano', 'README.md'), resolve(output, 'README.md')];
  if (card !== template) await copyFile(template, card);
  await updateCard(card, rows);
}

await main();
