// native/engine/model.h - a loaded model and what can be asked of it. Verbs run one at a time; abort() comes from any thread.
#pragma once
#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include "engine/engine.h"
#include "engine/packed.h"
#include "engine/update/loss.h"
#include "engine/update/optimizer.h"
#include "model/transformer.h"

namespace limr {

struct LoadOptions {
  std::string dir;
  Head head = Head::kLm;
  bool trainable = false;
  int64_t random_seed = -1;  // >= 0: random weights instead of reading them
  uint32_t value_head_seed = 0;
  bool checkpointing = false;
  // CPU only: `accumulate` computes a common beginning of sequences once, gradients included.
  bool share_prefixes = false;
  OptimizerOptions optimizer = {};
  // GPU only: rest in pinned host memory while another such model works; a trainable one keeps its optimizer state there for good.
  bool take_turns = false;
};

// fp32 gradients, in the storage order of the weights, and the optimizer's state.
struct TrainState {
  TrainState(const WeightTable& table, Device& device, const OptimizerOptions& options)
      : grads(gradient_bytes(table), device), optimizer(table, device, options) {}
  Buffer grads;
  OptimizerState optimizer;
  static size_t gradient_bytes(const WeightTable& table) { return size_t(table.elements) * sizeof(float); }
};

struct Scores {
  std::vector<float> logprobs, entropy, values;  // per token; the heads that do not exist stay empty
  // Tokens that went through the layers, common prefixes once, and the pairs of one and a token that it looks at.
  int64_t computed_tokens = 0, computed_pairs = 0;
};

struct StepResult {
  double grad_norm = 0;
  bool skipped = false;
  std::string non_finite;  // the first parameter whose gradient is not finite
};

class Model : private Guest {
 public:
  Model(Engine& engine, const LoadOptions& options);
  ~Model() override;

  const ModelConfig& config() const { return config_; }
  const Weights& weights() const { return weights_; }
  const Transformer& transformer() const { return transformer_; }
  Engine& engine() { return engine_; }
  Head head() const { return options_.head; }
  bool trainable() const { return train_ != nullptr; }
  int64_t optimizer_steps() const { return train_ ? train_->optimizer.step() : 0; }

  // Log-probs and entropies, or values. A pass takes sequences until `max_tokens`; NaN for first tokens, and with `weights` (one a
  // token) for those of weight 0, which cost no head.
  Scores score(const PackedTokens& packed, float temperature, int64_t max_tokens, std::span<const float> weights = {});
  // f32 [N, V].
  std::vector<float> logits(const PackedTokens& packed);
  // f32 [S, C]: of each sequence, the mean over its tokens of the hidden state after the final norm. Passes as in score; the workspace
  // of one is at most that of a scoring pass of as many tokens.
  std::vector<float> mean_hidden_states(const PackedTokens& packed, int64_t max_tokens);
  // Forward and backward of one micro-batch.
  LossTerms accumulate(const PackedTokens& packed, const Loss& loss);
  // Gradient norm, clipping, AdamW, and zero gradients. A norm that is not finite skips the update.
  StepResult step(const StepOptions& options);
  void zero_grad();

  void save(const std::string& dir) const;
  void save_optimizer(const std::string& file) const;
  void load_optimizer(const std::string& file);

  std::vector<std::string> tensor_names() const;
  // Resident bytes of gradients and optimizer state, pinned host memory included.
  size_t training_bytes() const;
  // Rows, cols, data in Hugging Face order.
  struct Tensor {
    int64_t rows, cols;
    std::vector<float> data;
  };
  Tensor read_tensor(const std::string& name, TensorKind kind) const;

  // Bytes of every token, for stop strings.
  void set_token_bytes(std::string bytes, std::vector<int32_t> offsets);
  std::string_view token_bytes(int32_t token) const;
  bool has_token_bytes() const { return !token_offsets_.empty(); }

  void abort() { abort_.store(true, std::memory_order_relaxed); }
  // Called by a verb as it starts: an abort concerns the verb that runs. The model is on the device then, with its gradients when it
  // trains.
  enum Use { kInference, kTraining };
  Context begin(Use use = kInference);
  // The rotary table reaches at least `positions`.
  void reach(int64_t positions);

 private:
  // bf16 [N, C] after the final norm, from the arena.
  View hidden_states(const Context& ctx, Arena& arena, const PackedBatch& batch);
  std::string layout_signature() const;
  std::vector<float> read_elements(const Param& param, TensorKind kind) const;
  void check_trainable(const char* verb) const;
  void leave() override;
  void bring(Use use);
  void drop_gradients();

  Engine& engine_;
  LoadOptions options_;
  ModelConfig config_;
  Weights weights_;
  Rope rope_;
  Transformer transformer_;
  std::unique_ptr<TrainState> train_;
  size_t taken_ = 0;              // of the device's memory
  mutable std::mutex residency_;  // where weights and gradients are; a reader may be on another thread
  bool changed_ = false;          // weights, since they were parked
  bool has_gradients_ = false;    // that are not zero
  std::string token_bytes_;
  std::vector<int32_t> token_offsets_;
  std::atomic<bool> abort_{false};
};

// Rows of logits computed at once.
int64_t head_chunk_rows(Target target, int64_t vocab_size);
// What a phase takes from the workspace, by running its allocations on a planner.
size_t score_bytes(const Transformer&, Head head, int64_t tokens, int64_t sequences);
struct TrainSize {  // of a micro-batch; foreign_keys as Batch has them
  int64_t tokens, sequences, predicted, longest, foreign_keys = 0;
};
size_t train_bytes(const Transformer&, Head, const TrainSize&, bool checkpointing);

}  // namespace limr
