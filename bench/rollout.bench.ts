/**
 * What TypeScript does with a rollout between sampling and training, at LIMR's size: 1,024 prompts x 8 samples. Each case is checked
 * on a small rollout against its definition before it is timed. Prints a row of JSON a case; `npm run bench -- rollout`.
 */
import { cpus } from 'node:os';
import Benchmark from 'benchmark';
import { gae, shapeScores, whiten } from '../src/ppo/advantages.js';
import { type Episode, numActions, packRollout, type RolloutBuffer } from '../src/ppo/buffer.js';
import { randperm } from '../src/ppo/randperm.js';

const [prompts, samplesPerPrompt, promptLength, longest] = [1024, 8, 128, 1024] as const;
const [gamma, lambd, klCoef] = [1, 0.95, 0.01];

/** In [0, 1), from a linear congruential generator. */
function uniform(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

function episodes(count: number): Episode[] {
  const next = uniform(7);
  return Array.from({ length: count }, () => {
    const length = 1 + Math.floor(next() * longest);
    const reward = next() < 0.5 ? 1 : -0.5;
    return {
      prompt: new Int32Array(promptLength).fill(1),
      tokens: new Int32Array(length).fill(2),
      logprobs: Float32Array.from({ length }, () => Math.log(next() + 1e-9)),
      stopReason: 'eos',
      reward,
      correct: reward > 0,
      wellFormed: true,
    };
  });
}

function signalOf(buffer: RolloutBuffer) {
  const next = uniform(9);
  const perToken = (scale: number) => Float32Array.from(buffer.tokens, () => scale * (next() - 0.5));
  return { signal: { scores: buffer.scores, kl: perToken(0.01), klCoef }, values: perToken(1) };
}

function check(ok: boolean, what: string): void {
  if (!ok) throw new Error(`${what} is not what its definition says`);
}

const near = (got: number, want: number) => Math.abs(got - want) <= 1e-5 * Math.max(1, Math.abs(want));

/** A_t = sum_l (gamma lambd)^l delta_{t+l}, every sum on its own. */
function checkGae(): void {
  const buffer = packRollout(episodes(2), 2);
  const { signal, values } = signalOf(buffer);
  const { advantages } = gae(buffer, signal, values, gamma, lambd);
  const { starts, ends } = buffer;
  for (const [s, start] of starts.entries()) {
    const end = ends[s]!;
    const delta = (t: number) =>
      -klCoef * signal.kl[t]! +
      (t === end - 1 ? signal.scores[s]! : 0) +
      gamma * (t + 1 < end ? values[t + 1]! : 0) -
      values[t]!;
    for (let t = start; t < end; t += 37) {
      let want = 0;
      for (let l = 0; t + l < end; ++l) want += (gamma * lambd) ** l * delta(t + l);
      check(near(advantages[t]!, want), 'gae');
    }
  }
}

function checkOthers(): void {
  const shaped = shapeScores('group_norm', Float64Array.of(1, 2, 3, 5, 5, 5), 3);
  check(near(shaped[0]!, -1) && near(shaped[2]!, 1) && shaped[4] === 0, 'group_norm');
  const spans = { starts: Int32Array.of(1), ends: Int32Array.of(3) };
  check(whiten(spans, Float32Array.of(9, 1, 3)).join() === '0,-1,1', 'whiten');
  check(randperm(10, 42).join() === '2,6,1,8,4,5,0,9,3,7', 'randperm');
  check(packRollout(episodes(2), 2).ends[0] === promptLength + episodes(1)[0]!.tokens.length, 'packRollout');
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >> 1]!;
}

checkGae();
checkOthers();
const sampled = episodes(prompts * samplesPerPrompt);
const buffer = packRollout(sampled, samplesPerPrompt);
const { signal, values } = signalOf(buffer);
const { advantages } = gae(buffer, signal, values, gamma, lambd);
const actions = numActions(buffer);

const cases: readonly (readonly [string, number, () => unknown])[] = [
  ['pack', actions, () => packRollout(sampled, samplesPerPrompt)],
  ['gae', actions, () => gae(buffer, signal, values, gamma, lambd)],
  ['whiten', actions, () => whiten(buffer, advantages)],
  ['group_norm', buffer.scores.length, () => shapeScores('group_norm', buffer.scores, samplesPerPrompt)],
  ['randperm', 8523, () => randperm(8523, 42)],
];

const suite = new Benchmark.Suite();
for (const [name, , body] of cases) suite.add(name, body, { minSamples: 30 });
suite.on('cycle', ({ target }: { target: Benchmark }) => {
  const items = cases.find(([name]) => name === target.name)![1];
  const { sample } = target.stats;
  const seconds = median(sample);
  const row = {
    case: target.name,
    items,
    median_s: seconds,
    mad_s: median(sample.map((each) => Math.abs(each - seconds))),
    items_per_s: Math.round(items / seconds),
    runs: sample.length,
    cpu: cpus()[0]?.model,
    node: process.version,
  };
  process.stdout.write(`${JSON.stringify(row)}\n`);
});
suite.run();
