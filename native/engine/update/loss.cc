#include "engine/update/loss.h"

#include <cmath>

#include "core/error.h"

namespace limr {
namespace {

TokenLoss policy_loss(const PolicyLoss& p, size_t i, float logprob, float entropy) {
  const float ratio = std::exp(logprob - p.old_logprobs[i]), A = p.advantages[i];
  const float clipped = std::fmin(std::fmax(ratio, 1 - p.eps_clip_low), 1 + p.eps_clip_high);
  const float surrogate = ratio * A, bound = clipped * A;
  // The gradient of a minimum goes to the smaller term; inside the clip range both are the same.
  TokenLoss t{-std::fmin(surrogate, bound), surrogate <= bound || clipped == ratio ? -surrogate : 0.0f, 0};
  if (p.kl_coef != 0) {
    const float d = logprob - p.ref_logprobs[i];
    const float kl = p.kl_estimator == KlEstimator::kK1   ? d
                     : p.kl_estimator == KlEstimator::kK2 ? 0.5f * d * d
                                                          : std::exp(-d) - 1 + d;
    const float slope = p.kl_estimator == KlEstimator::kK1   ? 1.0f
                        : p.kl_estimator == KlEstimator::kK2 ? d
                                                             : 1 - std::exp(-d);
    t.loss += p.kl_coef * kl;
    t.d_output += p.kl_coef * slope;
  }
  t.loss -= p.entropy_coef * entropy;
  t.d_entropy = -p.entropy_coef;
  return t;
}

TokenLoss value_loss(const ValueLoss& v, size_t i, float value) {
  const float target = v.returns[i], plain = value - target;
  if (v.value_clip == 0) return {0.5f * plain * plain, plain, 0};
  const float moved = value - v.old_values[i], held = std::fmin(std::fmax(moved, -v.value_clip), v.value_clip);
  const float clipped = v.old_values[i] + held - target;
  const float a = clipped * clipped, b = plain * plain;
  // A tie (inside the clip range) has one gradient; a clipped maximum is constant in V.
  const float slope = b >= a || held == moved ? plain : 0.0f;
  return {0.5f * std::fmax(a, b), slope, 0};
}

}  // namespace

TokenLoss token_loss(const Loss& loss, int64_t i, float output, float entropy) {
  if (loss.kind == Loss::kPolicy) return policy_loss(loss.policy, size_t(i), output, entropy);
  if (loss.kind == Loss::kValue) return value_loss(loss.value, size_t(i), output);
  return {-output, -1, 0};
}

void check_loss(const Loss& loss, std::span<const int32_t> offsets, int64_t tokens) {
  const auto length = [&](const char* name, std::span<const float> a) {
    LIMR_CHECK(int64_t(a.size()) == tokens, kShape,
               cat(name, " has ", a.size(), " entries, expected ", tokens, ", one a token"));
  };
  length("weights", loss.weights);
  if (loss.kind == Loss::kPolicy) {
    length("advantages", loss.policy.advantages);
    length("oldLogprobs", loss.policy.old_logprobs);
    if (loss.policy.kl_coef != 0) length("refLogprobs", loss.policy.ref_logprobs);
  }
  if (loss.kind == Loss::kValue) {
    length("returns", loss.value.returns);
    if (loss.value.value_clip != 0) length("oldValues", loss.value.old_values);
  }
  LIMR_CHECK(loss.temperature > 0, kUsage, cat("temperature is ", loss.temperature, ", expected more than 0"));
  for (size_t s = 0; s + 1 < offsets.size(); ++s)
    LIMR_CHECK(loss.weights[size_t(offsets[s])] == 0, kUsage,
               cat("the first token of sequence ", s, " has weight ", loss.weights[size_t(offsets[s])]),
               "Nothing predicts a first token; give it weight 0.");
}

}  // namespace limr
