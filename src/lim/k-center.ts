/** Diversity: prompts that cover the space of all prompts. */
import { LimrError } from '../errors.js';

/** Centers of a greedy k-center, and how far each was from those before it. */
export interface KCenter {
  /** Indices of the centers in the order they were chosen. */
  readonly order: Int32Array;
  /** Of each center, its distance to the centers before it; Infinity for the first. Descending. */
  readonly distance: Float64Array;
}

/**
 * Greedy k-center (farthest-first traversal): Gonzalez 1985; Sener and Savarese 2018, arXiv:1708.00489, algorithm 1.
 *   c_1 = argmin_i |x_i - mean x|,   c_j = argmax_i min_{c chosen} |x_i - c|
 * Both leave the beginning open (any point; the points that are labelled already): c_1 is ours. From any beginning, the largest distance from
 * a point to the nearest center is at most twice the best possible (Gonzalez). Ties go to the earlier point.
 * @param points N vectors of one length, any scale; O(N * count * length) time
 * @param count at most N
 * @throws {LimrError} LIMR_SHAPE when lengths differ or count > N; LIMR_NUMERIC for a number that is not finite
 */
export function kCenter(points: readonly Float32Array[], count: number): KCenter {
  checkPoints(points, count);
  const order = new Int32Array(count);
  const distance = new Float64Array(count);
  if (count === 0) return { order, distance };
  const nearest = new Float64Array(points.length).fill(Number.POSITIVE_INFINITY);
  let next = closestToMean(points);
  for (let chosen = 0; chosen < count; ++chosen) {
    order[chosen] = next;
    distance[chosen] = Math.sqrt(nearest[next]!);
    const center = points[next]!;
    nearest[next] = -1; // never again, also among points that are equal
    for (const [i, point] of points.entries()) {
      if (nearest[i]! >= 0) nearest[i] = Math.min(nearest[i]!, squaredDistance(point, center));
    }
    next = nearest.reduce((best, value, i) => (value > nearest[best]! ? i : best), 0);
  }
  return { order, distance };
}

function checkPoints(points: readonly Float32Array[], count: number): void {
  if (count > points.length) {
    throw new LimrError('LIMR_SHAPE', `${count} of ${points.length} points were asked for`, 'Lower --count.');
  }
  for (const [i, point] of points.entries()) {
    if (point.length !== points[0]!.length) {
      throw new LimrError('LIMR_SHAPE', `point ${i} has ${point.length} numbers, the first one ${points[0]!.length}`);
    }
    if (!point.every(Number.isFinite))
      throw new LimrError('LIMR_NUMERIC', `point ${i} has a number that is not finite`);
  }
}

function closestToMean(points: readonly Float32Array[]): number {
  const mean = new Float64Array(points[0]!.length);
  for (const point of points) for (let c = 0; c < mean.length; ++c) mean[c]! += point[c]! / points.length;
  let [best, least] = [0, Number.POSITIVE_INFINITY];
  for (const [i, point] of points.entries()) {
    const distance = squaredDistance(point, mean);
    if (distance < least) [best, least] = [i, distance];
  }
  return best;
}

function squaredDistance(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let sum = 0;
  for (let c = 0; c < a.length; ++c) sum += (a[c]! - b[c]!) ** 2;
  return sum;
}
