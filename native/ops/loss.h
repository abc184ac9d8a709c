// native/ops/loss.h - losses of predicted tokens, a row each, and their derivatives by what the model said of the token.
//   policy (Schulman et al. 2017, arXiv:1707.06347, eq. 7), on r = exp(logprob - old_logprob):
//     -min(r A, clip(r, 1 - eps_low, 1 + eps_high) A) + kl_coef * kl(logprob - ref) - entropy_coef * H
//     k1 = d, k2 = d^2/2, k3 = exp(-d) - 1 + d, with d = logprob - ref (http://joschu.net/blog/kl-approx.html)
//   value: max((V - R)^2, (V_old + clamp(V - V_old, +-clip) - R)^2) / 2, or without the second term when clip is 0
//   cross-entropy: -logprob
#pragma once
#include "core/context.h"
#include "ops/logprob.h"

namespace limr {

enum class LossKind { kPolicy, kValue, kCrossEntropy };
enum class KlEstimator { kK1, kK2, kK3 };

struct LossCoefficients {
  float eps_clip_low = 0.2f, eps_clip_high = 0.2f;
  float kl_coef = 0;
  KlEstimator kl_estimator = KlEstimator::kK1;
  float entropy_coef = 0;
  float value_clip = 0;
};

// Arrays of R rows; those that the loss does not read may be null.
struct LossForward {
  LossKind kind;
  float* losses;          // weight * loss
  float* d_output;        // weight * derivative by the log-prob or value
  float* d_entropy;       // weight * derivative by the entropy; 0 for a value loss
  const RowStats* stats;  // log-prob and entropy
  const float* values;    // of a value loss
  const float* weights;
  const float *advantages, *old_logprobs, *ref_logprobs;  // ref_logprobs where kl_coef is not 0
  const float *old_values, *returns;                      // old_values where value_clip is not 0
  int64_t rows;
  LossCoefficients coefficients;

  // Rows [begin, end).
  LossForward slice(int64_t begin, int64_t end) const;
};
void loss_forward(const Context&, const LossForward&);

}  // namespace limr
