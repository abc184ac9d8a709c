// native/engine/update/loss.h - losses of one token, and their derivatives. A policy loss is an entry of a table.
#pragma once
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace limr {

enum class KlEstimator { kK1, kK2, kK3 };

// Policy, on r = exp(logprob - old_logprob):
//   -min(r A, clip(r, 1 - eps_low, 1 + eps_high) A) + kl_coef * kl(logprob - ref) - entropy_coef * H
// k1 = d, k2 = d^2/2, k3 = exp(-d) - 1 + d, with d = logprob - ref (http://joschu.net/blog/kl-approx.html).
struct PolicyLoss {
  float eps_clip_low = 0.2f, eps_clip_high = 0.2f;
  float kl_coef = 0;
  KlEstimator kl_estimator = KlEstimator::kK1;
  float entropy_coef = 0;
  std::span<const float> advantages, old_logprobs, ref_logprobs;
};

// Value: max((V - R)^2, (V_old + clamp(V - V_old, +-clip) - R)^2) / 2, or without the second term when clip is 0.
struct ValueLoss {
  float value_clip = 0;
  std::span<const float> old_values, returns;
};

struct Loss {
  enum Kind { kPolicy, kValue, kCrossEntropy } kind = kCrossEntropy;  // cross-entropy: -logprob
  std::span<const float> weights;  // per token; 0 = the token is not part of the loss
  float temperature = 1;
  PolicyLoss policy;
  ValueLoss value;
};

struct LossTerms {
  std::vector<float> losses, outputs, entropy;  // per token, 0 where the weight is 0
  std::string non_finite;
};

// Of token i, not yet weighted.
struct TokenLoss {
  float loss, d_output, d_entropy;
};
TokenLoss token_loss(const Loss& loss, int64_t i, float output, float entropy);

// Throws kShape naming the array whose length is not `tokens`; kUsage for weights on first tokens and bad coefficients.
void check_loss(const Loss& loss, std::span<const int32_t> offsets, int64_t tokens);

}  // namespace limr
