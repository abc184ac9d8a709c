#include "engine/head.h"

#include <algorithm>
#include <cmath>

#include "ops/embedding.h"
#include "ops/rmsnorm.h"
#include "ops/value.h"

namespace limr {

int64_t head_chunk_rows(Target target, int64_t vocab_size) {
  const int64_t bytes = int64_t(target.device == DeviceKind::kCuda ? 640 : 128) << 20;
  return std::clamp<int64_t>(bytes / (4 * vocab_size), 64, 4096);
}

HeadScratch head_scratch(Arena& arena, const Transformer& t, Head head, int64_t R, bool training) {
  const int64_t C = t.config().hidden_size, V = t.config().vocab_size;
  const int64_t chunk = std::min(R, head_chunk_rows(t.target(), V));
  HeadScratch s{};
  s.x = arena.matrix(DType::kBf16, R, C);
  s.norm = head == Head::kLm ? arena.operand(R, C) : arena.matrix(DType::kBf16, R, C);
  s.rstd = arena.matrix(DType::kF32, 1, R);
  if (head == Head::kLm) {
    s.logits = arena.matrix(DType::kF32, chunk, V);
    s.stats = arena.array<RowStats>(R);
  } else {
    s.values = arena.array<float>(R);
  }
  if (!training) return s;
  s.losses = arena.array<float>(R);
  s.d_output = arena.array<float>(R);
  s.d_entropy = arena.array<float>(R);
  s.dnorm = arena.matrix(DType::kF32, R, C);
  s.dx = arena.matrix(DType::kBf16, R, C);
  s.reduce =
      arena.alloc(std::max(rmsnorm_backward_scratch_bytes(R, C), value_backward_scratch_bytes(t.target(), R, C)));
  if (head == Head::kLm) {
    s.dlogits = arena.operand(chunk, round_up(V, 2));
    s.matmul = arena.alloc(linear_backward_weight_scratch_bytes(t.target(), chunk, V, C));
  }
  return s;
}

namespace {

void final_norm(const Context& ctx, const Model& m, const HeadScratch& s, View x, const PredictedRows& p) {
  gather_rows(ctx, {.out = s.x, .inp = x, .index = p.rows});
  rmsnorm_forward(ctx, {.out = s.norm,
                        .rstd = s.rstd,
                        .inp = s.x,
                        .weight = m.weights().vector(m.weights().table().final_norm),
                        .eps = float(m.config().rms_norm_eps)});
}

// Logits and statistics of rows [begin, end).
View chunk_logits(const Context& ctx, const Model& m, const HeadScratch& s, const PredictedRows& p, int64_t begin,
                  int64_t end, float temperature) {
  ctx.throw_if_aborted();
  const View logits = s.logits.slice(0, end - begin);
  linear_forward(ctx, {.out = logits,
                       .inp = s.norm.slice(begin, end),
                       .weight = m.weights().matrix(m.weights().table().head),
                       .bias = {},
                       .residual = {}});
  logprob_forward(ctx, {.stats = s.stats + begin,
                        .logits = logits,
                        .targets = p.targets + begin,
                        .vocab_size = m.config().vocab_size,
                        .temperature = temperature});
  return logits;
}

void values(const Context& ctx, const Model& m, const HeadScratch& s) {
  value_forward(ctx, {.values = s.values, .inp = s.norm, .weight = m.weights().vector(m.weights().table().head)});
}

// What the passes over all rows left.
HeadOutputs outputs(const Context& ctx, const HeadScratch& s, int64_t rows) {
  HeadOutputs out;
  if (s.values) {
    out.outputs.resize(size_t(rows));
    ctx.device->copy_out(out.outputs.data(), s.values, size_t(rows) * sizeof(float));
    return out;
  }
  std::vector<RowStats> staging;
  const RowStats* stats = on_host(*ctx.device, s.stats, rows, staging);
  for (int64_t r = 0; r < rows; ++r) {
    out.outputs.push_back(stats[r].logprob);
    out.entropy.push_back(stats[r].entropy);
  }
  return out;
}

void collect(const Context& ctx, const HeadScratch& s, std::span<const int32_t> index, LossTerms& terms) {
  const HeadOutputs out = outputs(ctx, s, int64_t(index.size()));
  std::vector<float> staging;
  const float* losses = on_host(*ctx.device, s.losses, int64_t(index.size()), staging);
  for (size_t r = 0; r < index.size(); ++r) {
    const auto i = size_t(index[r]);
    terms.losses[i] = losses[r];
    terms.outputs[i] = out.outputs[r];
    if (!out.entropy.empty()) terms.entropy[i] = out.entropy[r];
    if (terms.non_finite.empty() && !std::isfinite(out.outputs[r])) terms.non_finite = s.values ? "values" : "logprobs";
    if (terms.non_finite.empty() && !std::isfinite(losses[r])) terms.non_finite = "loss";
  }
}

}  // namespace

HeadOutputs head_forward(const Context& ctx, const Model& m, const HeadScratch& s, View x, const PredictedRows& p,
                         float temperature) {
  final_norm(ctx, m, s, x, p);
  if (m.head() == Head::kValue) {
    values(ctx, m, s);
  } else {
    const int64_t chunk = head_chunk_rows(ctx.target(), m.config().vocab_size);
    for (int64_t begin = 0; begin < p.count; begin += chunk)
      chunk_logits(ctx, m, s, p, begin, std::min(p.count, begin + chunk), temperature);
  }
  return outputs(ctx, s, p.count);
}

void head_backward(const Context& ctx, const Model& m, const HeadScratch& s, View x, const PredictedRows& p,
                   std::span<const int32_t> index, const LossForward& given, float temperature, LossTerms& terms,
                   float* grads) {
  final_norm(ctx, m, s, x, p);
  const WeightTable& t = m.weights().table();
  const int64_t V = m.config().vocab_size;
  float* dhead = grads + t.params[size_t(t.head)].offset;
  LossForward loss = given;
  loss.losses = s.losses, loss.d_output = s.d_output, loss.d_entropy = s.d_entropy;
  loss.stats = s.stats, loss.values = s.values;
  if (m.head() == Head::kValue) {
    const View weight = m.weights().vector(t.head);
    values(ctx, m, s);
    loss_forward(ctx, loss);
    value_backward(ctx, {.dinp = s.dnorm,
                         .dweight = view(dhead, 1, weight.cols),
                         .dvalues = s.d_output,
                         .inp = s.norm,
                         .weight = weight,
                         .scratch = s.reduce});
  } else {
    const int64_t chunk = head_chunk_rows(ctx.target(), V);
    const bool with_entropy = loss.kind == LossKind::kPolicy && loss.coefficients.entropy_coef != 0;
    for (int64_t begin = 0; begin < p.count; begin += chunk) {
      const int64_t end = std::min(p.count, begin + chunk);
      const View logits = chunk_logits(ctx, m, s, p, begin, end, temperature);
      loss_forward(ctx, loss.slice(begin, end));
      const View dlogits = s.dlogits.slice(0, end - begin);
      logprob_backward(ctx, {.dlogits = dlogits,
                             .logits = logits,
                             .stats = s.stats + begin,
                             .targets = p.targets + begin,
                             .dlogprob = s.d_output + begin,
                             .dentropy = with_entropy ? s.d_entropy + begin : nullptr,
                             .vocab_size = V,
                             .temperature = temperature});
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
  collect(ctx, s, index, terms);
}

}  // namespace limr
