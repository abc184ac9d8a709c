#include "engine/update/loss.h"

#include "core/error.h"

namespace limr {

LossRows::LossRows(const Loss& loss, std::span<const int32_t> index)
    : coefficients{loss.policy.eps_clip_low, loss.policy.eps_clip_high, loss.policy.kl_coef,
                   loss.policy.kl_estimator, loss.policy.entropy_coef,  loss.value.value_clip} {
  const auto rows = [&](std::span<const float> tokens, bool read) {
    std::vector<float> out;
    if (read)
      for (const int32_t i : index) out.push_back(tokens[size_t(i)]);
    return out;
  };
  const bool policy = loss.kind == Loss::kPolicy, value = loss.kind == Loss::kValue;
  weights = rows(loss.weights, true);
  advantages = rows(loss.policy.advantages, policy);
  old_logprobs = rows(loss.policy.old_logprobs, policy);
  ref_logprobs = rows(loss.policy.ref_logprobs, policy && loss.policy.kl_coef != 0);
  returns = rows(loss.value.returns, value);
  old_values = rows(loss.value.old_values, value && loss.value.value_clip != 0);
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
