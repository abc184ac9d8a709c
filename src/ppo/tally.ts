/**
 * Sums over the optimizer steps of a rollout, of one model. A step has its own tally, merged only when it was not
 * skipped.
 */
import { type Metrics, ratio } from './metrics.js';

export class Tally {
  private steps = 0;
  private loss = 0;
  private gradNorm = 0;
  private tokens = 0;
  private clipped = 0;
  private approxKl = 0;
  private entropy = 0;
  private maxRatio = 0;

  /**
   * One action of a policy step.
   * @param clip lower and upper range of the ratio exp(logprob - oldLogprob)
   */
  observePolicy(
    logprob: number,
    oldLogprob: number,
    advantage: number,
    entropy: number,
    clip: readonly [number, number],
  ): void {
    const logRatio = logprob - oldLogprob;
    const ratioNow = Math.exp(logRatio);
    const clamped = Math.min(1 + clip[1], Math.max(1 - clip[0], ratioNow));
    this.tokens += 1;
    this.clipped += clamped * advantage < ratioNow * advantage ? 1 : 0;
    this.approxKl += Math.expm1(logRatio) - logRatio;
    this.entropy += entropy;
    this.maxRatio = Math.max(this.maxRatio, ratioNow);
  }

  /** One action of a critic step. */
  observeValue(value: number, oldValue: number, valueClip: number): void {
    this.tokens += 1;
    this.clipped += valueClip > 0 && Math.abs(value - oldValue) > valueClip ? 1 : 0;
  }

  /** A whole step that was taken. */
  merge(step: Tally, loss: number, gradNorm: number): void {
    this.steps += 1;
    this.loss += loss;
    this.gradNorm += gradNorm;
    this.tokens += step.tokens;
    this.clipped += step.clipped;
    this.approxKl += step.approxKl;
    this.entropy += step.entropy;
    this.maxRatio = Math.max(this.maxRatio, step.maxRatio);
  }

  /**
   * Means over actions, or over optimizer steps (loss, gradient norm before clipping); null when every step was
   * skipped. clip_fraction: actions whose clipped term is the smaller one. approx_kl: mean of (ratio - 1) - log(ratio),
   * Schulman's k3.
   */
  policyMetrics(): Metrics {
    return {
      'entropy/mean': ratio(this.entropy, this.tokens),
      'loss/policy': ratio(this.loss, this.steps),
      'policy/clip_fraction': ratio(this.clipped, this.tokens),
      'policy/approx_kl': ratio(this.approxKl, this.tokens),
      'policy/max_ratio': this.tokens === 0 ? null : this.maxRatio,
      'grad_norm/actor': ratio(this.gradNorm, this.steps),
    };
  }

  /** clip_fraction: actions whose value left the clip range around the old one. */
  criticMetrics(): Metrics {
    return {
      'loss/value': ratio(this.loss, this.steps),
      'value/clip_fraction': ratio(this.clipped, this.tokens),
      'grad_norm/critic': ratio(this.gradNorm, this.steps),
    };
  }
}
