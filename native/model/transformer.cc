#include "model/transformer.h"

#include <algorithm>
#include <cmath>

#include "model/check.h"
#include "ops/rmsnorm.h"

namespace limr {
namespace {

// Frequencies of rotary pairs. Llama 3.1's scaling, as in transformers' modeling_rope_utils._compute_llama3_parameters: long
// wavelengths are stretched by `factor`, short ones kept, those between interpolated.
std::vector<float> inverse_frequencies(const ModelConfig& c) {
  const int64_t half = c.head_dim / 2;
  std::vector<float> f(static_cast<size_t>(half));
  for (int64_t i = 0; i < half; ++i) {
    f[size_t(i)] = 1.0f / float(std::pow(c.rope_theta, float(2 * i) / float(c.head_dim)));
    if (!c.rope_scaling.enabled) continue;
    const RopeScaling& s = c.rope_scaling;
    const double original = double(s.original_max_position_embeddings);
    const double wavelength = 2 * M_PI / f[size_t(i)];
    const double low = original / s.low_freq_factor, high = original / s.high_freq_factor;
    if (wavelength > low)
      f[size_t(i)] = float(f[size_t(i)] / s.factor);
    else if (wavelength >= high) {
      const double smooth = (original / wavelength - s.low_freq_factor) / (s.high_freq_factor - s.low_freq_factor);
      f[size_t(i)] = float((1 - smooth) * f[size_t(i)] / s.factor + smooth * f[size_t(i)]);
    }
  }
  return f;
}

}  // namespace

Rope::Rope(const ModelConfig& config, int64_t positions, Device& device)
    : positions_(positions),
      cos_(size_t(positions * config.head_dim / 2) * sizeof(float), device),
      sin_(cos_.bytes(), device) {
  const std::vector<float> freq = inverse_frequencies(config);
  std::vector<float> cos(cos_.bytes() / sizeof(float)), sin(cos.size());
  for (int64_t p = 0; p < positions; ++p)
    for (size_t i = 0; i < freq.size(); ++i) {
      const float angle = float(p) * freq[i];
      cos[size_t(p) * freq.size() + i] = float(std::cos(double(angle)));
      sin[size_t(p) * freq.size() + i] = float(std::sin(double(angle)));
    }
  device.copy_in(cos_.data(), cos.data(), cos_.bytes());
  device.copy_in(sin_.data(), sin.data(), sin_.bytes());
}

Transformer::Transformer(const ModelConfig& config, const Weights& weights, const Rope& rope, Target target)
    : config_(config), weights_(weights), rope_(rope), target_(target) {}

LayerActivations Transformer::scratch_activations(Arena& arena, int64_t N) const {
  const ModelConfig& c = config_;
  LayerActivations a;
  a.x = a.x_mid = arena.matrix(DType::kBf16, N, c.hidden_size);
  a.norm1 = a.norm2 = arena.operand(N, c.hidden_size);
  a.qkv = arena.matrix(DType::kF32, N, c.q_size() + 2 * c.kv_size());
  a.q = arena.matrix(DType::kBf16, N, c.q_size());
  a.attention = arena.matrix(DType::kBf16, N, c.q_size());
  a.hidden = arena.operand(N, c.intermediate_size);
  a.swiglu = arena.alloc(swiglu_forward_scratch_bytes(target_, N, c.intermediate_size));
  return a;
}

Activations Transformer::allocate(Arena& arena, int64_t N, int64_t pages, bool checkpointing) const {
  const ModelConfig& c = config_;
  Activations acts;
  const KvPages shape{nullptr, 0, c.num_key_value_heads, c.head_dim};
  LayerActivations a;
  for (int64_t l = 0; l < c.num_hidden_layers; ++l) {
    if (l == 0 || !checkpointing) {
      a.norm1 = arena.operand(N, c.hidden_size);
      a.rstd1 = arena.matrix(DType::kF32, 1, N);
      if (l == 0 || c.qk_norm)
        a.qkv = arena.matrix(DType::kF32, N, c.q_size() + 2 * c.kv_size());  // else only passing through
      a.q = arena.matrix(DType::kBf16, N, c.q_size());
      a.kv = {arena.array<bf16>(pages * shape.page_elements()), shape.page_elements(), c.num_key_value_heads,
              c.head_dim};
      a.attention = arena.matrix(DType::kBf16, N, c.q_size());
      a.lse = arena.matrix(DType::kF32, c.num_attention_heads, N);
      a.x_mid = arena.matrix(DType::kBf16, N, c.hidden_size);
      a.norm2 = arena.operand(N, c.hidden_size);
      a.rstd2 = arena.matrix(DType::kF32, 1, N);
      a.gate_up = arena.operand(N, 2 * c.intermediate_size);
      a.hidden = arena.operand(N, c.intermediate_size);
    }
    a.x = arena.matrix(DType::kBf16, N, c.hidden_size);
    acts.layers.push_back(a);
  }
  acts.x = arena.matrix(DType::kBf16, N, c.hidden_size);
  return acts;
}

void Transformer::embed(const Context& ctx, const Batch& batch, View x) const {
  embedding_forward(ctx, {.out = x, .tokens = batch.tokens, .weight = weights_.matrix(weights_.table().embedding)});
}

void Transformer::forward(const Context& ctx, const Batch& batch, Activations& acts) const {
  embed(ctx, batch, acts.layers[0].x);
  for (size_t l = 0; l < acts.layers.size(); ++l) {
    ctx.throw_if_aborted();
    layer_forward(ctx, int64_t(l), batch, acts.layers[l], l + 1 < acts.layers.size() ? acts.layers[l + 1].x : acts.x);
  }
}

void Transformer::layer_forward(const Context& ctx, int64_t layer, const Batch& batch, const LayerActivations& a,
                                View out) const {
  const LayerParams& p = weights_.table().layers[size_t(layer)];
  const float eps = float(config_.rms_norm_eps);
  rmsnorm_forward(
      ctx, {.out = a.norm1, .rstd = a.rstd1, .inp = a.x, .weight = weights_.vector(p.attention_norm), .eps = eps});
  check_finite(ctx, "attention norm", layer, a.norm1);
  linear_forward(ctx, {.out = a.qkv,
                       .inp = a.norm1,
                       .weight = weights_.matrix(p.qkv),
                       .bias = weights_.vector(p.qkv_bias),
                       .residual = {}});
  check_finite(ctx, "qkv", layer, a.qkv);
  rope_forward(ctx, {.q = a.q,
                     .kv = a.kv,
                     .qkv = a.qkv,
                     .positions = batch.positions,
                     .slots = batch.slots,
                     .rope = rope_.table(),
                     .norm = {weights_.at(p.q_norm), weights_.at(p.k_norm), eps}});
  check_finite(ctx, "rope", layer, a.q);
  attention_forward(ctx, {.out = a.attention,
                          .lse = a.lse,
                          .q = a.q,
                          .kv = a.kv,
                          .sequences = batch.sequences,
                          .num_sequences = batch.num_sequences,
                          .scale = 1.0f / std::sqrt(float(config_.head_dim)),
                          .longest = batch.longest});
  check_finite(ctx, "attention", layer, a.attention);
  linear_forward(ctx, {.out = a.x_mid,
                       .inp = a.attention,
                       .weight = weights_.matrix(p.o),
                       .bias = weights_.vector(p.o_bias),
                       .residual = a.x});
  check_finite(ctx, "attention output", layer, a.x_mid);
  rmsnorm_forward(ctx,
                  {.out = a.norm2, .rstd = a.rstd2, .inp = a.x_mid, .weight = weights_.vector(p.mlp_norm), .eps = eps});
  check_finite(ctx, "mlp norm", layer, a.norm2);
  swiglu_forward(ctx, {.out = a.hidden,
                       .gate_up = a.gate_up,
                       .inp = a.norm2,
                       .weight = weights_.matrix(p.gate_up),
                       .scratch = a.swiglu});
  check_finite(ctx, "swiglu", layer, a.hidden);
  linear_forward(ctx,
                 {.out = out, .inp = a.hidden, .weight = weights_.matrix(p.down), .bias = {}, .residual = a.x_mid});
  check_finite(ctx, "mlp output", layer, out);
}

}  // namespace limr
