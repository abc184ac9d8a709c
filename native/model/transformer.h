// native/model/transformer.h - the decoder's forward and backward, written out once over ops: Qwen2, Qwen3 and Llama.
//
//   x = embed(tokens);  each layer:  x += o(attention(rope(qkv(norm(x)))));  x += down(swiglu(gate_up(norm(x))))
// Activations are bf16, sums f32; what one op hands to the next inside a fused contract is never rounded.
#pragma once
#include <vector>

#include "core/arena.h"
#include "model/weights.h"
#include "ops/attention.h"
#include "ops/embedding.h"
#include "ops/rope.h"

namespace limr {

// Packed tokens of several sequences, without padding. The arrays are where the weights are (engine/upload.h).
struct Batch {
  int64_t num_tokens = 0;    // N
  const int32_t* tokens;     // [N]
  const int32_t* positions;  // [N]
  const int64_t* slots;      // [N] where the token's key and value go
  const AttentionSequence* sequences;
  int64_t num_sequences = 0;
  int64_t longest = 0;  // new tokens of the longest sequence, or more; backward: all of its tokens
  TokenRuns runs = {};  // backward on a device only
  // Backward on the CPU only: keys of sequences that are other rows' (ops/attention.h), and of each page the row of its first key.
  int64_t foreign_keys = 0;
  const int32_t* page_rows = nullptr;
};

// cos and sin of every position, f32, as Hugging Face computes them (llama3 scaling included).
class Rope {
 public:
  Rope(const ModelConfig&, int64_t positions, Device& device = cpu_device());
  RopeTable table() const { return {cos_.as<float>(), sin_.as<float>(), positions_}; }

 private:
  int64_t positions_;
  Buffer cos_, sin_;
};

// What a layer leaves for its backward. With activation checkpointing only `x` of every layer is kept, and the rest of one layer.
struct LayerActivations {
  View x;                  // [N, C] input of the layer
  View norm1;              // [N, C] attention_norm(x)
  View rstd1;              // [1, N] f32
  View qkv;                // [N, (H+2K)D] f32, before rope
  View q;                  // [N, H*D] after rope
  KvPages kv;              // keys after rope, values
  View attention;          // [N, H*D]
  View lse;                // [H, N] f32
  View x_mid;              // [N, C] after the attention block
  View norm2;              // [N, C]
  View rstd2;              // [1, N] f32
  View gate_up;            // [N, 2F] gate-up order
  View hidden;             // [N, F] swiglu
  void* swiglu = nullptr;  // its scratch, where gate_up is absent
};

struct Activations {
  std::vector<LayerActivations> layers;
  View x;  // [N, C] output of the last layer
};

class Transformer {
 public:
  // `target` is where it will run: what scratch memory depends on.
  Transformer(const ModelConfig& config, const Weights& weights, const Rope& rope, Target target);

  const ModelConfig& config() const { return config_; }
  Target target() const { return target_; }

  // Inference. `kv(layer)` gives a layer's pages. Returns x [N, C], allocated from the arena with all scratch.
  template <typename Kv>
  View forward(const Context& ctx, Arena& arena, const Batch& batch, Kv&& kv) const {
    LayerActivations acts = scratch_activations(arena, batch.num_tokens);
    embed(ctx, batch, acts.x);
    for (int64_t l = 0; l < config_.num_hidden_layers; ++l) {
      ctx.throw_if_aborted();
      acts.kv = kv(l);
      layer_forward(ctx, l, batch, acts, acts.x);
    }
    return acts.x;
  }
  // With a planning arena: only adds up what forward would take.
  void plan_forward(Arena& arena, int64_t num_tokens) const { scratch_activations(arena, num_tokens); }

  // Training. Keys and values go to `pages` pages a layer (one layer's worth with checkpointing).
  Activations allocate(Arena& arena, int64_t num_tokens, int64_t pages, bool checkpointing) const;
  void forward(const Context& ctx, const Batch& batch, Activations& acts) const;
  // dx [N, C] bf16: gradient of acts.x on entry, scratch after. Gradients of parameters accumulate into `grads`.
  void backward(const Context& ctx, Arena& arena, const Batch& batch, Activations& acts, View dx, float* grads,
                bool checkpointing) const;
  // Scratch that backward takes from the arena.
  void plan_backward(Arena& arena, int64_t num_tokens, int64_t foreign_keys, int64_t longest) const;

 private:
  LayerActivations scratch_activations(Arena& arena, int64_t num_tokens) const;
  void embed(const Context& ctx, const Batch& batch, View x) const;
  // From acts.x to out, which may be acts.x when nothing is kept for backward.
  void layer_forward(const Context& ctx, int64_t layer, const Batch& batch, const LayerActivations& acts,
                     View out) const;
  struct BackwardScratch;
  BackwardScratch backward_scratch(Arena& arena, int64_t num_tokens, int64_t foreign_keys, int64_t longest) const;
  void layer_backward(const Context& ctx, int64_t layer, const Batch& batch, const LayerActivations& acts,
                      const BackwardScratch& s, View dx, float* grads) const;

  const ModelConfig& config_;
  const Weights& weights_;
  const Rope& rope_;
  Target target_;
};

}  // namespace limr
