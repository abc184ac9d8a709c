/**
 * Grading around the graders: LIMR's rule over samples in the main thread and on worker threads, and the reward server with LIMR's
 * requests of four queries, from one client and from 64 at once.
 *
 *   npx tsx bench/rewards.bench.ts [--queries FILE.jsonl] [--samples 4000] [--workers 0,1,2] [--grader limr] [--output FILE]
 *
 * `npm run bench -- rewards` runs it on texts of its own; rows {query} of a file take their place. Every result is compared with
 * the main thread's before it counts. A row of JSON a case: seconds of the clock and of all CPUs together, since a machine that
 * others use shows in the one and not in the other.
 */
import { appendFileSync, readFileSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { cpus } from 'node:os';
import { parseArgs } from 'node:util';
import { WorkerPool } from '../src/reward/pool.js';
import type { Task } from '../src/reward/pool-task.js';
import { type GradeOptions, gradeTask, type Query, type QueryGrade, RewardServer } from '../src/serve/index.js';

const { values } = parseArgs({
  args: process.argv.slice(2).filter((argument) => argument !== '--'),
  options: {
    queries: { type: 'string' },
    samples: { type: 'string', default: '4000' },
    workers: { type: 'string', default: '0,1,2' },
    grader: { type: 'string', default: 'limr' },
    output: { type: 'string' },
  },
});

const answers = ['\\frac{1}{2}', '12\\sqrt{3}', '(2,5)', '1320', 'x^2-5x+6', '(-\\infty,0)\\cup(0,\\infty)', '3-4i'];
const working =
  'We substitute $x = 2k + 1$ into $x^2 - 4x + 7$ and collect terms, which leaves a square and a remainder. ';

/** A conversation of LIMR's size: a few thousand characters of working, and a box. */
function ownQuery(i: number): Query {
  const label = answers[i % answers.length]!;
  const answer = i % 3 === 0 ? label : answers[(i + 1) % answers.length]!;
  const steps = Array.from({ length: 20 }, (_, k) => `Step ${k + 1}, case ${i * 31 + k}. ${working}`).join('\n');
  const turn = `<|im_end|>\n<|im_start|>user\nQ${i}<|im_end|>\n<|im_start|>assistant\n${steps}`;
  return { text: `${turn}So the answer is $\\boxed{${answer}}$.<|im_end|>`, label };
}

function readQueries(file: string): Query[] {
  const rows = readFileSync(file, 'utf8').trimEnd().split('\n');
  return rows.map((row, i) => ({
    text: (JSON.parse(row) as { query: string }).query,
    label: answers[i % answers.length]!,
  }));
}

const count = Number(values.samples);
const own = values.queries === undefined ? undefined : readQueries(values.queries);
const queries = Array.from({ length: count }, (_, i) => own?.[i % own.length] ?? ownQuery(i));
const options: GradeOptions = { grader: values.grader, template: 'qwen', answers: [] };
const grader = gradeTask.create(options);
const want = queries.map((query) => grader(query).reward);
const characters = queries.reduce((sum, { text }) => sum + text.length, 0) / count;

function report(row: Readonly<Record<string, unknown>>): void {
  const where = { cpu: cpus()[0]?.model ?? '', cpus: cpus().length, node: process.version };
  const text = JSON.stringify({ ...row, grader: values.grader, mean_characters: Math.round(characters), ...where });
  console.log(text);
  if (values.output !== undefined) appendFileSync(values.output, `${text}\n`);
}

/** Seconds of the clock and of the CPUs that a body takes. */
async function timed(body: () => Promise<void>): Promise<{ readonly wall: number; readonly cpu: number }> {
  const [started, used] = [performance.now(), process.cpuUsage()];
  await body();
  const { user, system } = process.cpuUsage(used);
  return { wall: (performance.now() - started) / 1000, cpu: (user + system) / 1e6 };
}

const rounded = (value: number, digits = 3) => Number(value.toFixed(digits));

function check(got: readonly number[], what: string): void {
  if (got.length !== want.length || got.some((reward, i) => reward !== want[i]))
    throw new Error(`${what} graded differently`);
}

async function poolCase(workers: number): Promise<void> {
  const pool = new WorkerPool(gradeTask as Task<GradeOptions, Query, QueryGrade>, options, { workers });
  const run = async (): Promise<void> => {
    const grades = await Promise.all(queries.map((query) => pool.run(query, { name: 'a query' })));
    check(
      grades.map(({ result }) => result.reward),
      `a pool of ${workers}`,
    );
  };
  try {
    await run();
    const { wall, cpu } = await timed(run);
    report({
      case: 'pool',
      workers,
      samples: count,
      wall_s: rounded(wall),
      cpu_s: rounded(cpu),
      per_s: Math.round(count / wall),
    });
  } finally {
    await pool.close();
  }
}

async function serveCase(workers: number, clients: number): Promise<void> {
  const pool = new WorkerPool(gradeTask, options, { workers });
  const server = new RewardServer({
    template: 'qwen',
    hasAnswers: false,
    grade: async (query, signal) => (await pool.run(query, { name: 'a query', signal })).result,
    about: {},
    maxBodyBytes: 1 << 26,
    maxHeldBytes: 1 << 28,
    maxRequests: 4096,
    requestTimeoutMs: 60_000,
  });
  const agent = new Agent({ keepAlive: true, maxSockets: clients });
  const url = `${await server.listen(0, '127.0.0.1')}/get_reward`;
  const post = (lot: readonly Query[]): Promise<number[]> =>
    new Promise((resolve, reject) => {
      const sent = request(
        url,
        { method: 'POST', agent, headers: { 'content-type': 'application/json' } },
        async (reply) => {
          let text = '';
          for await (const chunk of reply) text += String(chunk);
          resolve((JSON.parse(text) as { rewards: number[] }).rewards);
        },
      );
      sent.on('error', reject);
      sent.end(JSON.stringify({ query: lot.map(({ text }) => text), labels: lot.map(({ label }) => label) }));
    });
  const run = async (): Promise<number[]> => {
    const [got, times]: [number[], number[]] = [new Array<number>(count), []];
    let next = 0;
    const client = async (): Promise<void> => {
      for (let at = next; at < count; at = next) {
        next += 4;
        const started = performance.now();
        const rewards = await post(queries.slice(at, at + 4));
        times.push(performance.now() - started);
        for (const [i, reward] of rewards.entries()) got[at + i] = reward;
      }
    };
    await Promise.all(Array.from({ length: clients }, client));
    check(got, `a server with ${workers} workers`);
    return times.sort((a, b) => a - b);
  };
  try {
    await run();
    let times: number[] = [];
    const { wall, cpu } = await timed(async () => {
      times = await run();
    });
    const at = (q: number) => rounded(times[Math.max(0, Math.ceil(q * times.length) - 1)]!, 2);
    const speed = { requests_per_s: Math.round(times.length / wall), queries_per_s: Math.round(count / wall) };
    report({
      case: 'serve',
      workers,
      clients,
      wall_s: rounded(wall),
      cpu_s: rounded(cpu),
      ...speed,
      p50_ms: at(0.5),
      p99_ms: at(0.99),
    });
  } finally {
    agent.destroy();
    await server.close();
    await pool.close();
  }
}

const workers = values.workers.split(',').map(Number);
for (const number of workers) await poolCase(number);
for (const number of workers) for (const clients of [1, 64]) await serveCase(number, clients);
