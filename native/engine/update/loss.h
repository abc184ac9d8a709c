// native/engine/update/loss.h - what a caller asks of accumulate: a loss of ops/loss.h over the tokens of packed sequences.
#pragma once
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "ops/loss.h"

namespace limr {

struct PolicyLoss {
  float eps_clip_low = 0.2f, eps_clip_high = 0.2f;
  float kl_coef = 0;
  KlEstimator kl_estimator = KlEstimator::kK1;
  float entropy_coef = 0;
  std::span<const float> advantages, old_logprobs, ref_logprobs;
};

struct ValueLoss {
  float value_clip = 0;
  std::span<const float> old_values, returns;
};

struct Loss {
  using Kind = LossKind;
  using enum LossKind;
  Kind kind = kCrossEntropy;
  std::span<const float> weights;  // per token; 0 = the token is not part of the loss
  float temperature = 1;
  PolicyLoss policy;
  ValueLoss value;
};

struct LossTerms {
  std::vector<float> losses, outputs, entropy;  // per token, 0 where the weight is 0
  std::string non_finite;
  int64_t computed_tokens = 0, computed_pairs = 0;  // as Scores has them
};

// What the loss of predicted rows is measured against, in the order of the rows: `index` are their tokens.
struct LossRows {
  LossRows(const Loss& loss, std::span<const int32_t> index);
  static constexpr int64_t kMostArrays = 4;  // of one kind of loss
  LossCoefficients coefficients;
  std::vector<float> weights, advantages, old_logprobs, ref_logprobs, old_values, returns;  // empty where not read
};

// Throws kShape naming the array whose length is not `tokens`; kUsage for weights on first tokens and bad coefficients.
void check_loss(const Loss& loss, std::span<const int32_t> offsets, int64_t tokens);

}  // namespace limr
