// native/ops/cuda/linear.h - products of matrices through cuBLASLt: which algorithm, and that it is the same for every batch.
//
// Promise 1 asks that a row of out = inp . weight^T has the same bits whatever the other rows, and how many. A kernel that adds a
// row's products in one order keeps it; two kernels may not agree. So an algorithm is chosen as follows, once a process and weight
// shape: the anchor is the library's best for kAnchorRows rows, without split-K and workspace. For fewer rows, the library's
// proposals are tried on random operands in their order, and the first whose every output equals the anchor's to the bit is
// taken; the anchor itself if none does. Where the library has batch invariance (13.4 or so), proposals are restricted to it.
// Gradients need only repeat: the library's first proposal for their very shape, deterministic reductions.
#pragma once
#include <cuda_runtime.h>

#include <cstdint>
#include <map>
#include <tuple>
#include <vector>

#include "ops/cuda/cublaslt.h"

namespace limr::cuda {

// D[m,n] = op(A) op(B) + beta C, column-major, bf16 operands, f32 sums.
struct Product {
  enum Kind : int { kForward, kBackwardInput, kBackwardWeight };
  Kind kind = kForward;
  int64_t m = 0, n = 0, k = 0;
  const void* a = nullptr;
  int64_t lda = 0;
  const void* b = nullptr;
  int64_t ldb = 0;
  const void* c = nullptr;  // null: beta = 0
  int64_t ldc = 0;
  void* d = nullptr;
  int64_t ldd = 0;
  lt::Type type = lt::kF32;    // of c, d and bias
  const void* bias = nullptr;  // [m]
};

// What a plan says of itself, for the bit sweep and LIMR_LOG.
struct PlanReport {
  int64_t m = 0, n = 0, k = 0;
  int algorithm = 0, tile = 0, stages = 0, split_k = 0;
  bool anchor = false;  // the anchor's own algorithm
  int tried = 0;        // proposals that were compared with the anchor
};

// One stream's handle, plans and workspace. Not for two threads at once.
class LinearPlans {
 public:
  static constexpr size_t kWorkspaceBytes = size_t(32) << 20;
  static constexpr int64_t kAnchorRows = 2048;

  // Loads the library (kPlatform if it is nowhere) and takes kWorkspaceBytes of the current device (kMemory).
  explicit LinearPlans(cudaStream_t stream);
  ~LinearPlans();
  LinearPlans(const LinearPlans&) = delete;
  LinearPlans& operator=(const LinearPlans&) = delete;

  // Queues the product. The first one of a shape class makes its plan, which waits for the stream: not while it is captured.
  void run(const Product& p);

  void* workspace() const { return workspace_; }
  const char* library() const { return lt_.path.c_str(); }
  std::vector<PlanReport> reports() const;

 private:
  struct Plan;
  // kind, m, n's class, k, type, bias?, c?, alignment, and the leading dimensions
  using Key = std::tuple<int, int64_t, int64_t, int64_t, int, bool, bool, int, int64_t, int64_t, int64_t, int64_t>;

  Plan& plan(const Product& p);
  void launch(const Plan& plan, const Product& p, const lt::Algorithm& algorithm);
  void choose(Plan& plan, const Product& p);
  bool same_bits(const Plan& plan, const Product& p, const lt::Algorithm& a, const lt::Algorithm& b);

  const lt::CublasLt& lt_;
  lt::Handle handle_ = nullptr;
  cudaStream_t stream_;
  void* workspace_ = nullptr;
  std::map<Key, Plan> plans_;
};

}  // namespace limr::cuda
