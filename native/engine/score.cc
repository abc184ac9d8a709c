// native/engine/score.cc - Model::score and Model::logits: forward passes over whole sequences.
#include <algorithm>
#include <cmath>
#include <cstring>

#include "engine/head.h"
#include "ops/rmsnorm.h"

namespace limr {
namespace {

// One layer's pages: a layer's keys and values are not read again after it.
KvPages one_layer_pages(Arena& arena, const ModelConfig& c, int64_t pages) {
  KvPages kv{nullptr, 0, c.num_key_value_heads, c.head_dim};
  kv.page_stride = kv.page_elements();
  kv.data = arena.array<bf16>(pages * kv.page_stride);
  return kv;
}

int64_t max_pages(int64_t tokens, int64_t sequences) { return tokens / kPageKeys + sequences; }

}  // namespace

size_t score_bytes(const Transformer& t, Head head, int64_t tokens, int64_t sequences) {
  Arena plan = Arena::planner();
  one_layer_pages(plan, t.config(), max_pages(tokens, sequences));
  t.plan_forward(plan, tokens);
  head_scratch(plan, t.config(), head, tokens, false);
  return plan.peak();
}

Scores Model::score(const PackedTokens& packed, float temperature, int64_t max_tokens) {
  check_packed(packed, config_);
  LIMR_CHECK(temperature > 0, kUsage, cat("temperature is ", temperature, ", expected more than 0"));
  LIMR_CHECK(max_tokens > 0, kUsage, cat("maxTokens is ", max_tokens, ", expected more than 0"));
  const Context ctx = begin();
  Scores out;
  const std::vector<float> none(packed.tokens.size(), NAN);
  if (head() == Head::kLm)
    out.logprobs = out.entropy = none;
  else
    out.values = none;
  for (int64_t first = 0; first < packed.num_sequences();) {
    int64_t last = first + 1;
    while (last < packed.num_sequences() &&
           packed.offsets[size_t(last) + 1] - packed.offsets[size_t(first)] <= max_tokens)
      ++last;
    const PackedBatch batch(packed, first, last);
    const Prediction p = predictions(packed, first, last, {});
    if (!p.rows.empty()) {
      Engine::Phase phase(engine_, score_bytes(transformer_, head(), batch.num_tokens(), last - first));
      reach(batch.longest());
      const KvPages kv = one_layer_pages(phase.arena(), config_, batch.num_pages());
      const View x = transformer_.forward(ctx, phase.arena(), batch.batch(), [&](int64_t) { return kv; });
      const HeadScratch s = head_scratch(phase.arena(), config_, head(), int64_t(p.rows.size()), false);
      head_forward(ctx, *this, s, x, p, temperature);
      for (size_t r = 0; r < p.index.size(); ++r) {
        const auto i = size_t(p.index[r]);
        (head() == Head::kLm ? out.logprobs : out.values)[i] = s.outputs[r];
        if (head() == Head::kLm) out.entropy[i] = s.entropy[r];
      }
    }
    first = last;
  }
  return out;
}

std::vector<float> Model::logits(const PackedTokens& packed) {
  check_packed(packed, config_);
  LIMR_CHECK(head() == Head::kLm, kState, "logits of a model with a value head");
  const Context ctx = begin();
  const PackedBatch batch(packed, 0, packed.num_sequences());
  const int64_t N = batch.num_tokens(), V = config_.vocab_size;
  const auto allocate = [&](Arena& arena) {
    return std::pair{one_layer_pages(arena, config_, batch.num_pages()),
                     arena.matrix(DType::kBf16, N, config_.hidden_size)};
  };
  Arena plan = Arena::planner();
  allocate(plan);
  transformer_.plan_forward(plan, N);
  Engine::Phase phase(engine_, plan.peak());
  reach(batch.longest());
  const auto [kv, norm] = allocate(phase.arena());
  const View x = transformer_.forward(ctx, phase.arena(), batch.batch(), [&, pages = kv](int64_t) { return pages; });
  rmsnorm_forward(ctx, {.out = norm,
                        .rstd = {},
                        .inp = x,
                        .weight = weights_.vector(weights_.table().final_norm),
                        .eps = float(config_.rms_norm_eps)});
  std::vector<float> out(size_t(N * V));
  linear_forward(ctx, {.out = view(out.data(), N, V),
                       .inp = norm,
                       .weight = weights_.matrix(weights_.table().head),
                       .bias = {},
                       .residual = {}});
  return out;
}

}  // namespace limr
