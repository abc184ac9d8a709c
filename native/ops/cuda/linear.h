// native/ops/cuda/linear.h - products of matrices through cuBLASLt: which algorithm, and that it is the same for every batch.
//
// Promise 1 asks that a row of out = inp . weight^T has the same bits whatever the other rows, and however many. A kernel that adds
// up a row's products in one order keeps it; two kernels may not agree. So for each shape of weight the library's best algorithm
// for kAnchorRows rows, without split-K and workspace, is the anchor. For fewer rows the library's proposals are tried, in their
// order, on operands made for it (see same_bits), and the first whose outputs all equal the anchor's to the bit is taken; the
// anchor itself if none does. Where the library knows batch invariance, it proposes nothing else.
// Gradients need only repeat: the library's first proposal for their very shape, with deterministic reductions.
#pragma once
#include <cuda_runtime.h>

#include <cstdint>
#include <map>
#include <memory>
#include <tuple>
#include <vector>

#include "ops/cuda/cublaslt.h"

namespace limr::cuda {

// d[m,n] = op(a) op(b) + c (+ bias[m]), column-major, bf16 operands, f32 sums, one rounding.
struct Product {
  enum Kind : int {
    kForward,        // op(a) = a^T
    kBackwardInput,  // neither transposed
    kBackwardWeight  // op(b) = b^T
  };
  Kind kind = kForward;
  int64_t m = 0, n = 0, k = 0;
  const void* a = nullptr;
  int64_t lda = 0;
  const void* b = nullptr;
  int64_t ldb = 0;
  const void* c = nullptr;  // null: not added; may be d
  int64_t ldc = 0;
  void* d = nullptr;
  int64_t ldd = 0;
  lt::Type type = lt::kF32;    // of c, d and bias
  const void* bias = nullptr;  // [m], or null
  void* workspace = nullptr;   // kBackwardWeight only
  size_t workspace_bytes = 0;
};

// An algorithm that was chosen, and how.
struct PlanReport {
  Product::Kind kind;
  int64_t m, n, k;  // n: the most that this choice is for
  int algorithm, tile, stages, split_k;
  bool anchor;  // it is the anchor's
  int tried;    // proposals that were compared with the anchor
};

// The handle, choices and descriptors of one stream. Not for two threads at once.
class LinearPlans {
 public:
  static constexpr int64_t kAnchorRows = 2048;
  static constexpr int64_t kMaxBias = int64_t(1) << 18;

  LinearPlans(const lt::CublasLt& library, cudaStream_t stream);
  ~LinearPlans();
  LinearPlans(const LinearPlans&) = delete;
  LinearPlans& operator=(const LinearPlans&) = delete;

  // Queues the product. A shape's first product may choose an algorithm, which allocates, runs and waits: not while the stream is
  // being captured. Throws kUnsupported when the library has no algorithm.
  void run(const Product& p);

  float* bias() const { return bias_; }  // [kMaxBias], for one that must be widened first
  const lt::CublasLt& library() const { return lt_; }
  std::vector<PlanReport> reports() const { return reports_; }

 private:
  // Everything that the library's descriptors depend on.
  using Shape = std::tuple<int, int, int64_t, int64_t, int64_t, int64_t, int64_t, int64_t, int64_t, bool, bool, int>;
  // A product as the library wants to have it described.
  struct Plan {
    explicit Plan(const lt::CublasLt& library) : lt(library) {}
    ~Plan();
    Plan(const Plan&) = delete;
    Plan& operator=(const Plan&) = delete;

    const lt::CublasLt& lt;
    lt::Matmul matmul = nullptr;
    lt::Layout a = nullptr, b = nullptr, c = nullptr, d = nullptr;
    lt::Algorithm algorithm = {};
  };
  using PlanPtr = std::unique_ptr<Plan>;
  static Shape shape(const Product& p, int64_t n);

  void check(int status, const char* what) const;
  PlanPtr describe(const Product& p) const;
  std::vector<lt::AlgorithmChoice> propose(const Product& p, int wanted) const;
  bool fits(const Plan& plan, const lt::Algorithm& algorithm) const;
  void launch(const Plan& plan, const Product& p, const lt::Algorithm& algorithm) const;
  lt::Algorithm choose(const Product& p);
  bool same_bits(const Product& p, const lt::Algorithm& algorithm, const lt::Algorithm& anchor) const;
  void report(const Product& p, const lt::Algorithm& algorithm, bool anchor, int tried);

  const lt::CublasLt& lt_;
  lt::Handle handle_ = nullptr;
  cudaStream_t stream_;
  float* bias_ = nullptr;
  std::map<Shape, PlanPtr> plans_;
  std::map<Shape, lt::Algorithm> choices_;  // of forward products, n = the class
  std::vector<PlanReport> reports_;
};

}  // namespace limr::cuda
