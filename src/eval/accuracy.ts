/** What graded samples say about a model. Pure functions; a prompt counts as one, however many samples it has. */
import { LimrError } from '../errors.js';

/** One graded sample. */
export interface Outcome {
  readonly correct: boolean;
  /** Whether the response has the form that lets its answer be looked at. */
  readonly wellFormed: boolean;
  /** Generated tokens. */
  readonly length: number;
  /** Whether the length limit ended it. */
  readonly truncated: boolean;
}

/** Accuracy over prompts, with what belongs to it. */
export interface EvaluationSummary {
  readonly numPrompts: number;
  readonly numSamples: number;
  /** Mean over prompts of the share of correct samples. */
  readonly accuracy: number;
  /** Standard error of `accuracy` over prompts: sqrt(sample variance / prompts); NaN for one prompt. */
  readonly accuracySe: number;
  /** Share of samples with the right form. */
  readonly wellFormed: number;
  /** Correct samples among well-formed ones; NaN when there are none. */
  readonly accuracyWellFormed: number;
  /** Tokens. */
  readonly meanLength: number;
  /** Share of samples that the length limit ended. */
  readonly truncated: number;
  /** pass@k for k = 1, 2, 4, ... and the number of samples of a prompt. */
  readonly passAtK: Readonly<Record<number, number>>;
}

/**
 * Sums an evaluation up: accuracy over prompts, pass@k, form, length.
 * @param outcomes [prompt][sample]; at least one prompt, each with at least one sample
 * @throws {LimrError} LIMR_SHAPE when there is no prompt, or one without samples
 */
export function summarize(outcomes: readonly (readonly Outcome[])[]): EvaluationSummary {
  if (outcomes.length === 0 || outcomes.some((samples) => samples.length === 0)) {
    throw new LimrError('LIMR_SHAPE', 'an evaluation needs at least one prompt, and a sample of each');
  }
  const all = outcomes.flat();
  const numWellFormed = count(all, ({ wellFormed }) => wellFormed);
  const shares = outcomes.map((samples) => count(samples, ({ correct }) => correct) / samples.length);
  const fewest = outcomes.reduce((least, { length }) => Math.min(least, length), Number.POSITIVE_INFINITY);
  return {
    numPrompts: outcomes.length,
    numSamples: all.length,
    accuracy: mean(shares),
    accuracySe: standardError(shares),
    wellFormed: numWellFormed / all.length,
    accuracyWellFormed: count(all, ({ correct, wellFormed }) => correct && wellFormed) / numWellFormed,
    meanLength: mean(all.map(({ length }) => length)),
    truncated: count(all, ({ truncated }) => truncated) / all.length,
    passAtK: Object.fromEntries(ladder(fewest).map((k) => [k, meanPassAtK(outcomes, k)])),
  };
}

/**
 * Unbiased estimate of the probability that one of k samples is correct. Chen et al. 2021, arXiv:2107.03374, eq. 1:
 *   pass@k = 1 - C(n - c, k) / C(n, k) = 1 - prod_{i = n-c+1}^{n} (1 - k / i)
 * @param n samples
 * @param c correct ones among them
 * @throws {LimrError} LIMR_USAGE unless 0 <= c <= n and 1 <= k <= n, all whole
 */
export function passAtK(n: number, c: number, k: number): number {
  const valid = [n, c, k].every(Number.isInteger) && c >= 0 && c <= n && k >= 1 && k <= n;
  if (!valid) throw new LimrError('LIMR_USAGE', `pass@${k} of ${c} correct among ${n} samples is not defined`);
  if (n - c < k) return 1;
  let allWrong = 1;
  for (let i = n - c + 1; i <= n; ++i) allWrong *= 1 - k / i;
  return 1 - allWrong;
}

/** Standard error of the mean, with the sample variance (n - 1); NaN for one value. */
export function standardError(values: readonly number[]): number {
  const center = mean(values);
  const squares = values.reduce((sum, value) => sum + (value - center) ** 2, 0);
  return values.length < 2 ? Number.NaN : Math.sqrt(squares / (values.length - 1) / values.length);
}

function meanPassAtK(outcomes: readonly (readonly Outcome[])[], k: number): number {
  return mean(
    outcomes.map((samples) =>
      passAtK(
        samples.length,
        count(samples, ({ correct }) => correct),
        k,
      ),
    ),
  );
}

/** 1, 2, 4, ... up to n, and n. */
function ladder(n: number): number[] {
  const steps: number[] = [];
  for (let k = 1; k < n; k *= 2) steps.push(k);
  return [...steps, n];
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

function count<T>(items: readonly T[], matches: (item: T) => boolean): number {
  return items.reduce((sum, item) => sum + (matches(item) ? 1 : 0), 0);
}
