/**
 * OpenRLHF's policy and value losses of one token with their derivatives, in f64. openrlhf/models/loss.py (PolicyLoss,
 * ValueLoss), openrlhf/models/utils.py (compute_approx_kl); LIMR's revision, without clamps on log-ratios.
 */
export interface PolicyToken {
  readonly weight: number;
  readonly logprob: number;
  readonly entropy: number;
  readonly advantage: number;
  readonly oldLogprob: number;
  readonly refLogprob: number;
}

export interface PolicySettings {
  readonly epsClipLow: number;
  readonly epsClipHigh: number;
  readonly klCoef: number;
  readonly klEstimator: 'k1' | 'k2' | 'k3';
  readonly entropyCoef: number;
}

/** Loss, and its derivative with respect to the log-prob (the entropy's is -weight * entropyCoef). */
export function policyToken(t: PolicyToken, s: PolicySettings): { loss: number; dlogprob: number } {
  const ratio = Math.exp(t.logprob - t.oldLogprob);
  const clipped = Math.min(Math.max(ratio, 1 - s.epsClipLow), 1 + s.epsClipHigh);
  const bound = clipped * t.advantage < ratio * t.advantage; // the clipped branch holds, and is flat
  let loss = bound ? -clipped * t.advantage : -ratio * t.advantage;
  let dlogprob = bound ? 0 : -ratio * t.advantage;
  if (s.klCoef > 0) {
    const logRatio = t.logprob - t.refLogprob;
    const terms = {
      k1: [logRatio, 1],
      k2: [logRatio ** 2 / 2, logRatio],
      k3: [Math.expm1(-logRatio) + logRatio, -Math.expm1(-logRatio)],
    } as const;
    const [value, slope] = terms[s.klEstimator];
    loss += s.klCoef * value;
    dlogprob += s.klCoef * slope;
  }
  loss -= s.entropyCoef * t.entropy;
  return { loss: t.weight * loss, dlogprob: t.weight * dlogprob };
}

export interface ValueToken {
  readonly weight: number;
  readonly value: number;
  readonly oldValue: number;
  readonly return_: number;
}

/** 0.5 max((V - R)^2, (V_old + clamp(V - V_old, +-clip) - R)^2) and its derivative with respect to V; clip 0 = none. */
export function valueToken(t: ValueToken, clip: number): { loss: number; dvalue: number } {
  const plain = t.value - t.return_;
  const move = t.value - t.oldValue;
  const clipped = t.oldValue + Math.min(Math.max(move, -clip), clip) - t.return_;
  if (clip > 0 && clipped ** 2 > plain ** 2) {
    return { loss: (t.weight * clipped ** 2) / 2, dvalue: Math.abs(move) <= clip ? t.weight * clipped : 0 };
  }
  return { loss: (t.weight * plain ** 2) / 2, dvalue: t.weight * plain };
}
