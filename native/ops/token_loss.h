// native/ops/token_loss.h - the arithmetic of ops/loss.h for one row: the same lines on the CPU and on a device.
#pragma once
#include <cmath>

#include "ops/loss.h"

#ifdef __CUDACC__
#define LIMR_ANYWHERE __host__ __device__ inline
#else
#define LIMR_ANYWHERE inline
#endif

namespace limr {

// Not yet weighted.
struct TokenLoss {
  float loss, d_output, d_entropy;
};

LIMR_ANYWHERE TokenLoss policy_loss(const LossForward& o, int64_t r) {
  const LossCoefficients& c = o.coefficients;
  const float logprob = o.stats[r].logprob, A = o.advantages[r];
  const float ratio = expf(logprob - o.old_logprobs[r]);
  const float clipped = fminf(fmaxf(ratio, 1 - c.eps_clip_low), 1 + c.eps_clip_high);
  const float surrogate = ratio * A, bound = clipped * A;
  // The gradient of a minimum goes to the smaller term; inside the clip range both are the same.
  TokenLoss t{-fminf(surrogate, bound), surrogate <= bound || clipped == ratio ? -surrogate : 0.0f, 0};
  if (c.kl_coef != 0) {
    const float d = logprob - o.ref_logprobs[r];
    const float kl = c.kl_estimator == KlEstimator::kK1   ? d
                     : c.kl_estimator == KlEstimator::kK2 ? 0.5f * d * d
                                                          : expf(-d) - 1 + d;
    const float slope = c.kl_estimator == KlEstimator::kK1   ? 1.0f
                        : c.kl_estimator == KlEstimator::kK2 ? d
                                                             : 1 - expf(-d);
    t.loss += c.kl_coef * kl;
    t.d_output += c.kl_coef * slope;
  }
  t.loss -= c.entropy_coef * o.stats[r].entropy;
  t.d_entropy = -c.entropy_coef;
  return t;
}

LIMR_ANYWHERE TokenLoss value_loss(const LossForward& o, int64_t r) {
  const float clip = o.coefficients.value_clip, value = o.values[r], target = o.returns[r], plain = value - target;
  if (clip == 0) return {0.5f * plain * plain, plain, 0};
  const float moved = value - o.old_values[r], held = fminf(fmaxf(moved, -clip), clip);
  const float clipped = o.old_values[r] + held - target;
  const float a = clipped * clipped, b = plain * plain;
  // A tie (inside the clip range) has one gradient; a clipped maximum is constant in V.
  const float slope = b >= a || held == moved ? plain : 0.0f;
  return {0.5f * fmaxf(a, b), slope, 0};
}

// Writes row r.
LIMR_ANYWHERE void token_loss(const LossForward& o, int64_t r) {
  const TokenLoss t = o.kind == LossKind::kPolicy  ? policy_loss(o, r)
                      : o.kind == LossKind::kValue ? value_loss(o, r)
                                                   : TokenLoss{-o.stats[r].logprob, -1, 0};
  const float weight = o.weights[r];
  o.losses[r] = weight * t.loss;
  o.d_output[r] = weight * t.d_output;
  o.d_entropy[r] = weight * t.d_entropy;
}

}  // namespace limr
