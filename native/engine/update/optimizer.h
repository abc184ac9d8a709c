// native/engine/update/optimizer.h - what AdamW keeps of a model, in the storage order of its weights: the low halves of the master
// weights, and two moments. It lies beside the weights, or in pinned host memory, from where `update` streams it through the device.
#pragma once
#include <memory>
#include <string>
#include <vector>

#include "io/blob.h"
#include "model/weights.h"
#include "ops/adamw.h"

namespace limr {

struct OptimizerOptions {
  MomentFormat moments = MomentFormat::kF32;  // the CPU has f32 only
  bool on_host = false;                       // a GPU's optimizer state in pinned host memory
};

struct StepOptions {
  double learning_rate = 0, beta1 = 0.9, beta2 = 0.95, eps = 1e-8, weight_decay = 0, max_grad_norm = 0;
};

enum class TensorKind { kWeight, kMaster, kGrad, kExpAvg, kExpAvgSq };

class OptimizerState {
 public:
  // Throws kUnsupported for what the device does not have, kMemory.
  OptimizerState(const WeightTable& table, Device& device, const OptimizerOptions& options);

  struct Bytes {
    size_t device = 0, host = 0;
  };
  static Bytes bytes(const WeightTable& table, const OptimizerOptions& options);
  // What update takes from the workspace.
  static size_t update_bytes(const WeightTable& table, const OptimizerOptions& options);

  // One step of AdamW with gradients times `scale`.
  void update(const Context& ctx, Arena& arena, const Weights& weights, const float* grads, float scale,
              const StepOptions& options);

  // Elements of one parameter as f32, in storage order: kMaster (with the weights' upper halves), kExpAvg, kExpAvgSq.
  std::vector<float> read(const Param& param, const Weights& weights, TensorKind kind) const;

  int64_t step() const { return step_; }
  // How the state is stored; part of a checkpoint's signature.
  std::string signature() const;
  void save(const std::string& file, const std::string& signature) const;
  // Throws kFormat before anything is overwritten.
  void load(const std::string& file, const std::string& signature);

 private:
  struct Section {
    const char* name;
    const Buffer* buffer;
  };
  std::vector<Section> sections() const;
  // Of elements [begin, begin + n) of parameter p, with the moments and remainders given.
  AdamW op(size_t p, int64_t begin, int64_t n, const Weights& weights, const float* grads, float scale,
           const StepOptions& options) const;
  void stream(const Context& ctx, Arena& arena, const Weights& weights, const float* grads, float scale,
              const StepOptions& options);

  const WeightTable& table_;
  Device& device_;
  OptimizerOptions options_;
  std::vector<int64_t> first_block_;  // of each parameter's scales
  Buffer remainder_, exp_avg_, exp_avg_sq_;
  Buffer exp_avg_scale_, exp_avg_sq_scale_, codebooks_;  // 8 bits only; always on the device
  int64_t step_ = 0;
};

}  // namespace limr
