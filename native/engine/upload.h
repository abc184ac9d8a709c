// native/engine/upload.h - the host arrays of a pass, brought to the device in one copy. On the CPU they are used where they are.
#pragma once
#include <span>

#include "engine/packed.h"
#include "engine/update/loss.h"
#include "ops/sample.h"

namespace limr {

// Where predictions are read: on the device.
struct PredictedRows {
  const int32_t* rows = nullptr;     // [count] into the batch
  const int32_t* targets = nullptr;  // [count] token ids
  int64_t count = 0;
};

// The most that a pass uploads.
struct UploadSize {
  int64_t tokens = 0, sequences = 0;
  int64_t pages = 0;  // entries of all page tables
  int64_t rows = 0;   // predicted or sampled
};

class Upload {
 public:
  // Takes bytes() from the arena. What is added must outlive the pass.
  Upload(const Context& ctx, Arena& arena, const UploadSize& size);
  // 0 on the CPU.
  static size_t bytes(Target target, const UploadSize& size);

  template <typename T>
  const T* add(std::span<const T> host) {
    return static_cast<const T*>(add_bytes(host.data(), host.size_bytes()));
  }
  // With `runs` for a backward pass. Where the batch's arrays lie depends on the numbers of tokens and sequences alone, and on what was
  // added before.
  Batch add(const Batch& host, bool runs);
  PredictedRows add(const Prediction& host);
  // The arrays that a loss is measured against, and its coefficients; the rest is not set.
  LossForward add(const LossRows& host, LossKind kind);
  // Everything that was added. Ops queued from now on find it.
  void send();

 private:
  const void* add_bytes(const void* host, size_t bytes);
  TokenRuns add_runs(std::span<const int32_t> tokens);

  const Context& ctx_;
  char* block_ = nullptr;  // on the device
  size_t capacity_;
  std::vector<char> staging_;
};

}  // namespace limr
