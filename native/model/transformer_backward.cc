#include <algorithm>
#include <cmath>

#include "model/check.h"
#include "model/transformer.h"
#include "ops/rmsnorm.h"

namespace limr {

struct Transformer::BackwardScratch {
  View dnorm;       // [N, C] f32, gradient of a norm's output
  View dattention;  // [N, H*D] bf16
  View dq, dk, dv;  // f32, as attention_backward needs them
  View dqkv;        // [N, (H+2K)D] bf16
  void* matmul;     // the largest that any linear layer needs
  void* reduce;     // rmsnorm, rope
  void* attention;
  void* swiglu;
};

Transformer::BackwardScratch Transformer::backward_scratch(Arena& arena, int64_t N, int64_t foreign_keys,
                                                           int64_t longest) const {
  const ModelConfig& c = config_;
  const int64_t C = c.hidden_size, F = c.intermediate_size, Q = c.q_size(), KV = c.kv_size(), W = Q + 2 * KV;
  BackwardScratch s;
  s.dnorm = arena.matrix(DType::kF32, N, C);
  s.dattention = arena.matrix(DType::kBf16, N, Q);
  s.dq = arena.matrix(DType::kF32, N, Q);
  s.dk = arena.matrix(DType::kF32, N + foreign_keys, KV);
  s.dv = arena.matrix(DType::kF32, N + foreign_keys, KV);
  s.dqkv = arena.matrix(DType::kBf16, N, W);
  size_t matmul = 0;
  for (const auto& [rows, cols] : {std::pair{W, C}, {C, Q}, {2 * F, C}, {C, F}})
    matmul = std::max(matmul, linear_backward_weight_scratch_bytes(target_, N, rows, cols));
  s.matmul = arena.alloc(matmul);
  s.reduce = arena.alloc(std::max(rmsnorm_backward_scratch_bytes(N, C), rope_backward_scratch_bytes(N, c.head_dim)));
  s.attention = arena.alloc(attention_backward_scratch_bytes(target_, N, c.num_attention_heads, longest, c.head_dim));
  s.swiglu = arena.alloc(swiglu_backward_scratch_bytes(target_, N, F));
  return s;
}

void Transformer::plan_backward(Arena& arena, int64_t num_tokens, int64_t foreign_keys, int64_t longest) const {
  backward_scratch(arena, num_tokens, foreign_keys, longest);
}

void Transformer::backward(const Context& ctx, Arena& arena, const Batch& batch, Activations& acts, View dx,
                           float* grads, bool checkpointing) const {
  const BackwardScratch s = backward_scratch(arena, batch.num_tokens, batch.foreign_keys, batch.longest);
  for (int64_t l = config_.num_hidden_layers - 1; l >= 0; --l) {
    ctx.throw_if_aborted();
    const LayerActivations& a = acts.layers[size_t(l)];
    // The last layer's activations are still there; those of the others were overwritten. acts.x is free by then.
    if (checkpointing && l + 1 < config_.num_hidden_layers) layer_forward(ctx, l, batch, a, acts.x);
    layer_backward(ctx, l, batch, a, s, dx, grads);
  }
  const WeightTable& t = weights_.table();
  embedding_backward(ctx, {.dweight = grads + t.params[size_t(t.embedding)].offset,
                           .dout = dx,
                           .tokens = batch.tokens,
                           .vocab_size = config_.vocab_size,
                           .runs = batch.runs});
}

void Transformer::layer_backward(const Context& ctx, int64_t layer, const Batch& batch, const LayerActivations& a,
                                 const BackwardScratch& s, View dx, float* grads) const {
  const WeightTable& t = weights_.table();
  const LayerParams& p = t.layers[size_t(layer)];
  const auto grad = [&](int param) { return grads + t.params[size_t(param)].offset; };
  const auto grad_vector = [&](int param) {
    return param < 0 ? View{} : view(grad(param), 1, t.params[size_t(param)].rows * t.params[size_t(param)].cols);
  };

  // MLP: dx is the gradient of x_mid + down(swiglu(gate_up(norm2)))
  linear_backward_weight(ctx, {.dweight = grad(p.down), .dbias = {}, .dout = dx, .inp = a.hidden, .scratch = s.matmul});
  swiglu_backward(
      ctx,
      {.dgate_up = a.gate_up, .gate_up = a.gate_up, .dout = dx, .down = weights_.matrix(p.down), .scratch = s.swiglu});
  check_finite(ctx, "swiglu backward", layer, a.gate_up);
  linear_backward_weight(
      ctx, {.dweight = grad(p.gate_up), .dbias = {}, .dout = a.gate_up, .inp = a.norm2, .scratch = s.matmul});
  linear_backward_input(ctx, {.dinp = s.dnorm, .dout = a.gate_up, .weight = weights_.matrix(p.gate_up)});
  rmsnorm_backward(ctx, {.dinp = dx,
                         .dweight = grad_vector(p.mlp_norm),
                         .dout = s.dnorm,
                         .dresidual = dx,
                         .inp = a.x_mid,
                         .weight = weights_.vector(p.mlp_norm),
                         .rstd = a.rstd2,
                         .scratch = s.reduce});
  check_finite(ctx, "mlp norm backward", layer, dx);

  // Attention: dx is the gradient of x + o(attention(...)) (+ bias)
  linear_backward_weight(
      ctx, {.dweight = grad(p.o), .dbias = grad_vector(p.o_bias), .dout = dx, .inp = a.attention, .scratch = s.matmul});
  linear_backward_input(ctx, {.dinp = s.dattention, .dout = dx, .weight = weights_.matrix(p.o)});
  attention_backward(ctx, {.dq = s.dq,
                           .dk = s.dk,
                           .dv = s.dv,
                           .dout = s.dattention,
                           .out = a.attention,
                           .q = a.q,
                           .lse = a.lse,
                           .kv = a.kv,
                           .sequences = batch.sequences,
                           .num_sequences = batch.num_sequences,
                           .scale = 1.0f / std::sqrt(float(config_.head_dim)),
                           .scratch = s.attention,
                           .longest = batch.longest,
                           .page_rows = batch.page_rows});
  check_finite(ctx, "attention backward", layer, s.dq);
  rope_backward(ctx, {.dqkv = s.dqkv,
                      .dq = s.dq,
                      .dk = s.dk.slice(0, batch.num_tokens),
                      .dv = s.dv.slice(0, batch.num_tokens),
                      .qkv = a.qkv,
                      .dq_norm = grad_vector(p.q_norm),
                      .dk_norm = grad_vector(p.k_norm),
                      .positions = batch.positions,
                      .rope = rope_.table(),
                      .norm = {weights_.at(p.q_norm), weights_.at(p.k_norm), float(config_.rms_norm_eps)},
                      .num_heads = config_.num_attention_heads,
                      .num_kv_heads = config_.num_key_value_heads,
                      .head_dim = config_.head_dim,
                      .scratch = s.reduce});
  check_finite(ctx, "rope backward", layer, s.dqkv);
  linear_backward_weight(
      ctx,
      {.dweight = grad(p.qkv), .dbias = grad_vector(p.qkv_bias), .dout = s.dqkv, .inp = a.norm1, .scratch = s.matmul});
  linear_backward_input(ctx, {.dinp = s.dnorm, .dout = s.dqkv, .weight = weights_.matrix(p.qkv)});
  rmsnorm_backward(ctx, {.dinp = dx,
                         .dweight = grad_vector(p.attention_norm),
                         .dout = s.dnorm,
                         .dresidual = dx,
                         .inp = a.x,
                         .weight = weights_.vector(p.attention_norm),
                         .rstd = a.rstd1,
                         .scratch = s.reduce});
  check_finite(ctx, "attention norm backward", layer, dx);
}

}  // namespace limr
