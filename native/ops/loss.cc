#include "ops/loss.h"

#include "ops/cuda_device.h"
#include "ops/token_loss.h"

namespace limr {

LossForward LossForward::slice(int64_t begin, int64_t end) const {
  const auto from = [&](auto* array) { return array ? array + begin : array; };
  LossForward part = *this;
  part.losses = from(losses), part.d_output = from(d_output), part.d_entropy = from(d_entropy);
  part.stats = from(stats), part.values = from(values), part.weights = from(weights);
  part.advantages = from(advantages), part.old_logprobs = from(old_logprobs), part.ref_logprobs = from(ref_logprobs);
  part.old_values = from(old_values), part.returns = from(returns);
  part.rows = end - begin;
  return part;
}

void loss_forward(const Context& ctx, const LossForward& o) {
  const bool value = o.kind == LossKind::kValue, policy = o.kind == LossKind::kPolicy;
  const auto need = [&](const void* array, const char* name, bool read) {
    LIMR_CHECK(array || !read || o.rows == 0, kShape, cat("loss_forward: ", name, " is missing"));
  };
  need(o.stats, "stats", !value);
  need(o.values, "values", value);
  need(o.weights, "weights", true);
  need(o.advantages, "advantages", policy);
  need(o.old_logprobs, "old_logprobs", policy);
  need(o.ref_logprobs, "ref_logprobs", policy && o.coefficients.kl_coef != 0);
  need(o.returns, "returns", value);
  need(o.old_values, "old_values", value && o.coefficients.value_clip != 0);
  if (ctx.cuda) return ctx.cuda->call(&cuda::Table::loss_forward, o);
  for (int64_t r = 0; r < o.rows; ++r) token_loss(o, r);
}

}  // namespace limr
