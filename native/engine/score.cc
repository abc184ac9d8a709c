// native/engine/score.cc - Model::score, Model::logits and Model::mean_hidden_states: forward passes over whole sequences.
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

// One past the last sequence of the pass that begins with `first`: as many as `max_tokens` holds, at least one.
int64_t pass_end(const PackedTokens& packed, int64_t first, int64_t max_tokens) {
  int64_t last = first + 1;
  while (last < packed.num_sequences() &&
         packed.offsets[size_t(last) + 1] - packed.offsets[size_t(first)] <= max_tokens)
    ++last;
  return last;
}

// What a pass over whole sequences uploads.
UploadSize upload_size(int64_t tokens, int64_t sequences, int64_t rows) {
  return {.tokens = tokens, .sequences = sequences, .pages = max_pages(tokens, sequences), .rows = rows};
}

// What a pass to the final norm keeps: one layer's keys and values, and the hidden states [N, C] bf16.
struct HiddenScratch {
  KvPages kv;
  View hidden;
};
HiddenScratch hidden_scratch(Arena& arena, const ModelConfig& c, int64_t tokens, int64_t pages) {
  return {one_layer_pages(arena, c, pages), arena.matrix(DType::kBf16, tokens, c.hidden_size)};
}

size_t hidden_bytes(const Transformer& t, const PackedBatch& batch) {
  Arena plan = Arena::planner();
  plan.alloc(Upload::bytes(t.target(), upload_size(batch.num_tokens(), batch.num_sequences(), 0)));
  hidden_scratch(plan, t.config(), batch.num_tokens(), batch.num_pages());
  t.plan_forward(plan, batch.num_tokens());
  return plan.peak();
}

// out[c] = sum over rows n of hidden[n, c] / rows; the sum in f64, row by row.
void mean_of_rows(const View& hidden, float* out) {
  std::vector<double> sums(size_t(hidden.cols), 0.0);
  for (int64_t n = 0; n < hidden.rows; ++n) {
    const bf16* row = hidden.as<bf16>() + n * hidden.stride;
    for (int64_t c = 0; c < hidden.cols; ++c) sums[size_t(c)] += double(bf16_to_f32(row[c]));
  }
  for (int64_t c = 0; c < hidden.cols; ++c) out[c] = float(sums[size_t(c)] / double(hidden.rows));
}

}  // namespace

size_t score_bytes(const Transformer& t, Head head, int64_t tokens, int64_t sequences) {
  Arena plan = Arena::planner();
  plan.alloc(Upload::bytes(t.target(), upload_size(tokens, sequences, tokens)));
  one_layer_pages(plan, t.config(), max_pages(tokens, sequences));
  t.plan_forward(plan, tokens);
  head_scratch(plan, t, head, tokens, false);
  return plan.peak();
}

Scores Model::score(const PackedTokens& packed, float temperature, int64_t max_tokens, std::span<const float> weights) {
  check_packed(packed, config_);
  LIMR_CHECK(temperature > 0, kUsage, cat("temperature is ", temperature, ", expected more than 0"));
  LIMR_CHECK(max_tokens > 0, kUsage, cat("maxTokens is ", max_tokens, ", expected more than 0"));
  LIMR_CHECK(weights.empty() || weights.size() == packed.tokens.size(), kShape,
             cat("weights are ", weights.size(), ", expected one for each of ", packed.tokens.size(), " tokens"));
  const Context ctx = begin();
  Scores out;
  const std::vector<float> none(packed.tokens.size(), NAN);
  if (head() == Head::kLm)
    out.logprobs = out.entropy = none;
  else
    out.values = none;
  for (int64_t first = 0; first < packed.num_sequences();) {
    const int64_t last = pass_end(packed, first, max_tokens);
    const PackedBatch batch(packed, first, last, Prefixes::kShared);
    const Prediction p = predictions(packed, first, batch, weights);
    if (!p.rows.empty()) {
      out.computed_tokens += batch.num_tokens();
      out.computed_pairs += batch.num_pairs();
      const int64_t tokens = packed.offsets[size_t(last)] - packed.offsets[size_t(first)];
      Engine::Phase phase(engine_, score_bytes(transformer_, head(), tokens, last - first));
      reach(batch.longest());
      Arena& arena = phase.arena();
      Upload upload(ctx, arena, upload_size(tokens, last - first, int64_t(p.rows.size())));
      const Batch on_device = upload.add(batch.batch(), false);
      const PredictedRows rows = upload.add(p);
      upload.send();
      const KvPages kv = one_layer_pages(arena, config_, batch.num_pages());
      const View x = transformer_.forward(ctx, arena, on_device, [&](int64_t) { return kv; });
      const HeadScratch s = head_scratch(arena, transformer_, head(), rows.count, false);
      const HeadOutputs result = head_forward(ctx, *this, s, x, rows, temperature);
      for (size_t r = 0; r < p.index.size(); ++r) {
        const auto i = size_t(p.index[r]);
        (head() == Head::kLm ? out.logprobs : out.values)[i] = result.outputs[r];
        if (head() == Head::kLm) out.entropy[i] = result.entropy[r];
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
  const int64_t chunk = std::min(N, head_chunk_rows(ctx.target(), V));
  const size_t logit_bytes = engine_.device().on_host() ? 0 : size_t(chunk * V) * sizeof(float);
  Engine::Phase phase(engine_, hidden_bytes(transformer_, batch) + logit_bytes + 64);
  const View norm = hidden_states(ctx, phase.arena(), batch);
  std::vector<float> out(size_t(N * V));
  const View scratch = logit_bytes ? phase.arena().matrix(DType::kF32, chunk, V) : View{};
  for (int64_t begin = 0; begin < N; begin += chunk) {
    const int64_t rows = std::min(chunk, N - begin);
    float* host = out.data() + begin * V;
    const View logits = scratch ? scratch.slice(0, rows) : view(host, rows, V);
    linear_forward(ctx, {.out = logits,
                         .inp = norm.slice(begin, begin + rows),
                         .weight = weights_.matrix(weights_.table().head),
                         .bias = {},
                         .residual = {}});
    if (scratch) ctx.device->copy_out(host, logits.data, size_t(rows * V) * sizeof(float));
  }
  return out;
}

std::vector<float> Model::mean_hidden_states(const PackedTokens& packed, int64_t max_tokens) {
  check_packed(packed, config_);
  LIMR_CHECK(max_tokens > 0, kUsage, cat("maxTokens is ", max_tokens, ", expected more than 0"));
  const Context ctx = begin();
  const int64_t C = config_.hidden_size;
  std::vector<float> out(size_t(packed.num_sequences() * C));
  for (int64_t first = 0; first < packed.num_sequences();) {
    const int64_t last = pass_end(packed, first, max_tokens);
    const PackedBatch batch(packed, first, last);
    Engine::Phase phase(engine_, hidden_bytes(transformer_, batch));
    View hidden = hidden_states(ctx, phase.arena(), batch);
    std::vector<bf16> staging;
    hidden.data = const_cast<bf16*>(on_host(*ctx.device, hidden.as<bf16>(), hidden.rows * hidden.cols, staging));
    const int32_t begin = packed.offsets[size_t(first)];
    for (int64_t s = first; s < last; ++s)
      mean_of_rows(hidden.slice(packed.offsets[size_t(s)] - begin, packed.offsets[size_t(s) + 1] - begin),
                   out.data() + s * C);
    first = last;
  }
  return out;
}

View Model::hidden_states(const Context& ctx, Arena& arena, const PackedBatch& batch) {
  reach(batch.longest());
  Upload upload(ctx, arena, upload_size(batch.num_tokens(), batch.num_sequences(), 0));
  const Batch on_device = upload.add(batch.batch(), false);
  upload.send();
  const HiddenScratch s = hidden_scratch(arena, config_, batch.num_tokens(), batch.num_pages());
  const View x = transformer_.forward(ctx, arena, on_device, [&](int64_t) { return s.kv; });
  rmsnorm_forward(ctx, {.out = s.hidden,
                        .rstd = {},
                        .inp = x,
                        .weight = weights_.vector(weights_.table().final_norm),
                        .eps = float(config_.rms_norm_eps)});
  return s.hidden;
}

}  // namespace limr
