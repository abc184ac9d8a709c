#include "engine/head.h"

#include <algorithm>
#include <cmath>

#include "ops/embedding.h"
#include "ops/rmsnorm.h"
#include "ops/value.h"

namespace limr {

int64_t head_chunk_rows(int64_t vocab_size) {
  constexpr int64_t kLogitBytes = int64_t(128) << 20;
  return std::clamp<int64_t>(kLogitBytes / (4 * vocab_size), 64, 4096);
}

HeadScratch head_scratch(Arena& arena, const ModelConfig& c, Head head, int64_t R, bool training) {
  const int64_t C = c.hidden_size, V = c.vocab_size, chunk = std::min(R, head_chunk_rows(V));
  HeadScratch s{};
  s.x = arena.matrix(DType::kBf16, R, C);
  s.norm = arena.matrix(DType::kBf16, R, C);
  s.rstd = arena.matrix(DType::kF32, 1, R);
  s.outputs = arena.array<float>(R);
  if (head == Head::kLm) {
    s.logits = arena.matrix(DType::kF32, chunk, V);
    s.stats = arena.array<RowStats>(chunk);
    s.entropy = arena.array<float>(R);
  }
  if (!training) return s;
  s.d_output = arena.array<float>(R);
  s.d_entropy = arena.array<float>(R);
  s.dnorm = arena.matrix(DType::kF32, R, C);
  s.dx = arena.matrix(DType::kBf16, R, C);
  s.reduce = arena.alloc(rmsnorm_backward_scratch_bytes(R, C));
  if (head == Head::kLm) {
    s.dlogits = arena.matrix(DType::kBf16, chunk, round_up(V, 2));
    s.matmul = arena.alloc(linear_backward_weight_scratch_bytes({}, chunk, V, C));
  }
  return s;
}

namespace {

void final_norm(const Context& ctx, const Model& m, const HeadScratch& s, View x, const Prediction& p) {
  gather_rows(ctx, {.out = s.x, .inp = x, .index = p.rows.data()});
  rmsnorm_forward(ctx, {.out = s.norm,
                        .rstd = s.rstd,
                        .inp = s.x,
                        .weight = m.weights().vector(m.weights().table().final_norm),
                        .eps = float(m.config().rms_norm_eps)});
}

// Logits and statistics of rows [begin, end).
void chunk_logits(const Context& ctx, const Model& m, const HeadScratch& s, const Prediction& p, int64_t begin,
                  int64_t end, float temperature) {
  const View logits = s.logits.slice(0, end - begin);
  linear_forward(ctx, {.out = logits,
                       .inp = s.norm.slice(begin, end),
                       .weight = m.weights().matrix(m.weights().table().head),
                       .bias = {},
                       .residual = {}});
  logprob_forward(ctx, {.stats = s.stats,
                        .logits = logits,
                        .targets = p.targets.data() + begin,
                        .vocab_size = m.config().vocab_size,
                        .temperature = temperature});
  for (int64_t r = begin; r < end; ++r) {
    s.outputs[r] = s.stats[r - begin].logprob;
    s.entropy[r] = s.stats[r - begin].entropy;
  }
}

// Writes the terms of rows [begin, end), and their weighted derivatives.
void row_losses(const HeadScratch& s, const Prediction& p, const Loss& loss, LossTerms& terms, int64_t begin,
                int64_t end) {
  for (int64_t r = begin; r < end; ++r) {
    const int64_t i = p.index[size_t(r)];
    const float entropy = s.entropy ? s.entropy[r] : 0.0f, weight = loss.weights[size_t(i)];
    const TokenLoss t = token_loss(loss, i, s.outputs[r], entropy);
    terms.losses[size_t(i)] = weight * t.loss;
    terms.outputs[size_t(i)] = s.outputs[r];
    if (s.entropy) terms.entropy[size_t(i)] = entropy;
    s.d_output[r] = weight * t.d_output;
    s.d_entropy[r] = weight * t.d_entropy;
    if (terms.non_finite.empty() && !std::isfinite(s.outputs[r]))
      terms.non_finite = loss.kind == Loss::kValue ? "values" : "logprobs";
    if (terms.non_finite.empty() && !std::isfinite(terms.losses[size_t(i)])) terms.non_finite = "loss";
  }
}

}  // namespace

void head_forward(const Context& ctx, const Model& m, const HeadScratch& s, View x, const Prediction& p,
                  float temperature) {
  final_norm(ctx, m, s, x, p);
  const int64_t R = int64_t(p.rows.size());
  if (m.head() == Head::kValue) {
    value_forward(ctx, {.values = s.outputs, .inp = s.norm, .weight = m.weights().vector(m.weights().table().head)});
    return;
  }
  const int64_t chunk = head_chunk_rows(m.config().vocab_size);
  for (int64_t begin = 0; begin < R; begin += chunk) {
    ctx.throw_if_aborted();
    chunk_logits(ctx, m, s, p, begin, std::min(R, begin + chunk), temperature);
  }
}

void head_backward(const Context& ctx, const Model& m, const HeadScratch& s, View x, const Prediction& p,
                   const Loss& loss, LossTerms& terms, float* grads) {
  final_norm(ctx, m, s, x, p);
  const WeightTable& t = m.weights().table();
  const int64_t R = int64_t(p.rows.size()), V = m.config().vocab_size;
  float* dhead = grads + t.params[size_t(t.head)].offset;
  if (m.head() == Head::kValue) {
    const View weight = m.weights().vector(t.head);
    value_forward(ctx, {.values = s.outputs, .inp = s.norm, .weight = weight});
    row_losses(s, p, loss, terms, 0, R);
    value_backward(ctx, {.dinp = s.dnorm,
                         .dweight = view(dhead, 1, weight.cols),
                         .dvalues = s.d_output,
                         .inp = s.norm,
                         .weight = weight});
  } else {
    const int64_t chunk = head_chunk_rows(V);
    const bool with_entropy = loss.kind == Loss::kPolicy && loss.policy.entropy_coef != 0;
    for (int64_t begin = 0; begin < R; begin += chunk) {
      ctx.throw_if_aborted();
      const int64_t end = std::min(R, begin + chunk);
      chunk_logits(ctx, m, s, p, begin, end, loss.temperature);
      row_losses(s, p, loss, terms, begin, end);
      const View dlogits = s.dlogits.slice(0, end - begin);
      logprob_backward(ctx, {.dlogits = dlogits,
                             .logits = s.logits.slice(0, end - begin),
                             .stats = s.stats,
                             .targets = p.targets.data() + begin,
                             .dlogprob = s.d_output + begin,
                             .dentropy = with_entropy ? s.d_entropy + begin : nullptr,
                             .vocab_size = V,
                             .temperature = loss.temperature});
      View dout = dlogits;
      dout.cols = V;
      linear_backward_weight(
          ctx, {.dweight = dhead, .dbias = {}, .dout = dout, .inp = s.norm.slice(begin, end), .scratch = s.matmul});
      linear_backward_input(ctx,
                            {.dinp = s.dnorm.slice(begin, end), .dout = dlogits, .weight = m.weights().matrix(t.head)});
    }
  }
  rmsnorm_backward(ctx, {.dinp = s.dx,
                         .dweight = view(grads + t.params[size_t(t.final_norm)].offset, 1, m.config().hidden_size),
                         .dout = s.dnorm,
                         .dresidual = {},
                         .inp = s.x,
                         .weight = m.weights().vector(t.final_norm),
                         .rstd = s.rstd,
                         .scratch = s.reduce});
}

}  // namespace limr
