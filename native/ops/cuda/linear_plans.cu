#include <algorithm>

#include "core/error.h"
#include "ops/cuda/launch.cuh"
#include "ops/cuda/linear.h"

namespace limr::cuda {
namespace {

constexpr int kWanted = 16;         // proposals
constexpr int64_t kProbe = 256;     // rows and columns of a probe
constexpr size_t kMaxPlans = 4096;  // descriptors kept
constexpr unsigned kThreads = 256;
constexpr int64_t kClasses[] = {16, 64, 256, 1024};  // rows; more take the anchor

std::string text_of(const Product& p) {
  const char* const kinds[] = {"forward", "backward input", "backward weight"};
  return cat(kinds[p.kind], " m ", p.m, " n ", p.n, " k ", p.k, " ld ", p.lda, " ", p.ldb, " ", p.ldd,
             p.type == lt::kF32 ? " f32" : " bf16", p.c ? " + c" : "", p.bias ? " + bias" : "");
}

int64_t class_of(int64_t rows) {
  for (const int64_t most : kClasses)
    if (rows <= most) return most;
  return LinearPlans::kAnchorRows;
}

// Bytes that all addresses and rows are a multiple of: 16, which every fast kernel asks for, or less. No more than 16, so that a
// row's place does not choose its kernel.
int alignment_of(const Product& p) {
  const int bytes = p.type == lt::kF32 ? 4 : 2;
  uint64_t all = 16 | reinterpret_cast<uintptr_t>(p.a) | reinterpret_cast<uintptr_t>(p.b) |
                 reinterpret_cast<uintptr_t>(p.d) | uint64_t(2 * p.lda) | uint64_t(2 * p.ldb) | uint64_t(bytes * p.ldd);
  if (p.c) all |= reinterpret_cast<uintptr_t>(p.c) | uint64_t(bytes * p.ldc);
  return int(all & (~all + 1));
}

// Rows of `cols` numbers in +-[2^-7, 2), `ld` apart, of all magnitudes, so that sums of even a few products round in f32. A row's
// second half repeats its first one, with the other sign where `mirror`: so the exact product of any row with any mirrored row is
// 0, and what a kernel returns is its rounding errors alone, in which another order of additions shows. An odd column is 0.
__global__ void fill_probe(uint16_t* out, int64_t rows, int64_t cols, int64_t ld, uint32_t seed, bool mirror) {
  const int64_t half = cols / 2;
  for (int64_t i = int64_t(blockIdx.x) * blockDim.x + threadIdx.x; i < rows * cols;
       i += int64_t(gridDim.x) * blockDim.x) {
    const int64_t row = i / cols, col = i % cols;
    uint32_t h = seed ^ uint32_t(row * half + col % half) * 0x9E3779B9u;
    h = (h ^ h >> 16) * 0x85EBCA6Bu;
    h = (h ^ h >> 13) * 0xC2B2AE35u;
    h ^= h >> 16;
    const uint32_t sign = (h >> 7 & 1u) ^ uint32_t(mirror && col >= half);
    out[row * ld + col] =
        col < 2 * half ? uint16_t((0x3f80u - (h >> 8 & 7u) * 0x80u) | (h & 0x7fu) | sign << 15) : uint16_t(0);
  }
}

// Device memory for as long as a probe takes.
class Scratch {
 public:
  explicit Scratch(size_t bytes) { LIMR_CUDA_CHECK(cudaMalloc(&data_, bytes)); }
  ~Scratch() { cudaFree(data_); }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  char* data() const { return static_cast<char*>(data_); }

 private:
  void* data_ = nullptr;
};

}  // namespace

LinearPlans::LinearPlans(const lt::CublasLt& library, cudaStream_t stream) : lt_(library), stream_(stream) {
  check(lt_.create(&handle_), "cublasLtCreate");
  void* bias = nullptr;
  if (const cudaError_t error = cudaMalloc(&bias, kMaxBias * sizeof(float)); error != cudaSuccess) {
    lt_.destroy(handle_);
    LIMR_CUDA_CHECK(error);
  }
  bias_ = static_cast<float*>(bias);
}

LinearPlans::~LinearPlans() {
  plans_.clear();
  cudaFree(bias_);
  lt_.destroy(handle_);
}

void LinearPlans::check(int status, const char* what) const {
  LIMR_CHECK(status == lt::kStatusSuccess, kInternal,
             cat(what, " failed: ", lt_.status_name(status), " (", lt_.path, ", version ", lt_.version(), ")"));
}

LinearPlans::Shape LinearPlans::shape(const Product& p, int64_t n) {
  return {p.kind, p.type, p.m, n, p.k, p.lda, p.ldb, p.ldc, p.ldd, p.c != nullptr, p.bias != nullptr, alignment_of(p)};
}

LinearPlans::Plan::~Plan() {
  for (const lt::Layout layout : {a, b, c, d})
    if (layout) lt.layout_destroy(layout);
  if (matmul) lt.matmul_destroy(matmul);
}

LinearPlans::PlanPtr LinearPlans::describe(const Product& p) const {
  auto plan = std::make_unique<Plan>(lt_);
  const auto set = [&](lt::MatmulAttribute attribute, const auto& value) {
    return lt_.set_matmul_attribute(plan->matmul, attribute, &value, sizeof value);
  };
  check(lt_.matmul_create(&plan->matmul, lt::kComputeF32, lt::kF32), "cublasLtMatmulDescCreate");
  const int32_t turn_a = p.kind == Product::kForward, turn_b = p.kind == Product::kBackwardWeight;
  check(set(lt::kTransA, turn_a), "cublasLtMatmulDescSetAttribute(transa)");
  check(set(lt::kTransB, turn_b), "cublasLtMatmulDescSetAttribute(transb)");
  if (p.bias) {
    check(set(lt::kEpilogue, uint32_t(lt::kEpilogueBias)), "cublasLtMatmulDescSetAttribute(epilogue)");
    check(set(lt::kBiasPointer, p.bias), "cublasLtMatmulDescSetAttribute(bias pointer)");
  }
  if (p.kind == Product::kForward) {
    const int32_t invariance = alignment_of(p) == 16 ? lt::kBatchInvarianceAlign16 : lt::kBatchInvarianceAlign2;
    // Before 13.4 or so the library does not know it; bits are compared in any case.
    if (const int status = set(lt::kBatchInvariance, invariance); status != lt::kStatusInvalidValue)
      check(status, "cublasLtMatmulDescSetAttribute(batch invariance)");
  }
  const auto layout = [&](lt::Layout* to, lt::Type type, int64_t rows, int64_t cols, int64_t ld, bool turned) {
    check(lt_.layout_create(to, type, uint64_t(turned ? cols : rows), uint64_t(turned ? rows : cols), ld),
          "cublasLtMatrixLayoutCreate");
  };
  layout(&plan->a, lt::kBf16, p.m, p.k, p.lda, turn_a);
  layout(&plan->b, lt::kBf16, p.k, p.n, p.ldb, turn_b);
  layout(&plan->c, p.type, p.m, p.n, p.c ? p.ldc : p.ldd, false);
  layout(&plan->d, p.type, p.m, p.n, p.ldd, false);
  return plan;
}

// The library's algorithms for p, best first; at least one.
std::vector<lt::AlgorithmChoice> LinearPlans::propose(const Product& p, int wanted) const {
  const PlanPtr plan = describe(p);
  lt::Preference preference = nullptr;
  check(lt_.preference_create(&preference), "cublasLtMatmulPreferenceCreate");
  const auto set = [&](int attribute, const auto& value) {
    return lt_.set_preference_attribute(preference, lt::PreferenceAttribute(attribute), &value, sizeof value);
  };
  const bool gradient = p.kind == Product::kBackwardWeight;
  int status = set(lt::kMaxWorkspaceBytes, uint64_t(gradient ? p.workspace_bytes : 0));
  if (!status)
    status = set(lt::kReductionSchemeMask, uint32_t(gradient ? lt::kReductionComputeType : lt::kReductionNone));
  for (int which = lt::kMinAlignmentA; which <= lt::kMinAlignmentD && !status; ++which)
    status = set(which, uint32_t(alignment_of(p)));
  std::vector<lt::AlgorithmChoice> found(wanted);
  int count = 0;
  if (!status)
    status = lt_.heuristic(handle_, plan->matmul, plan->a, plan->b, plan->c, plan->d, preference, wanted, found.data(),
                           &count);
  lt_.preference_destroy(preference);
  if (status != lt::kStatusNotSupported) check(status, "cublasLtMatmulAlgoGetHeuristic");
  found.resize(status ? 0 : count);
  std::erase_if(found, [](const lt::AlgorithmChoice& c) { return c.status != lt::kStatusSuccess; });
  LIMR_CHECK(!found.empty(), kUnsupported,
             cat("cuBLASLt has no algorithm for a product of ", p.n, " x ", p.k, " by ", p.k, " x ", p.m, " (",
                 lt_.path, ", version ", lt_.version(), ")"),
             "Another version may have one: pip install --upgrade nvidia-cublas.");
  return found;
}

// Can the algorithm do it without a workspace?
bool LinearPlans::fits(const Plan& plan, const lt::Algorithm& algorithm) const {
  lt::AlgorithmChoice checked{};
  return lt_.check(handle_, plan.matmul, plan.a, plan.b, plan.c, plan.d, &algorithm, &checked) == lt::kStatusSuccess &&
         checked.workspace_bytes == 0;
}

void LinearPlans::launch(const Plan& plan, const Product& p, const lt::Algorithm& algorithm) const {
  const float alpha = 1, beta = p.c ? 1 : 0;
  const int status = lt_.matmul(handle_, plan.matmul, &alpha, p.a, plan.a, p.b, plan.b, &beta, p.c ? p.c : p.d, plan.c,
                                p.d, plan.d, &algorithm, p.workspace, p.workspace_bytes, stream_);
  if (status != lt::kStatusSuccess) check(status, cat("cublasLtMatmul, ", text_of(p)).c_str());
}

// Of a product with p's k and at most kProbe rows and columns: do both algorithms return the same bits?
bool LinearPlans::same_bits(const Product& p, const lt::Algorithm& algorithm, const lt::Algorithm& anchor) const {
  Product probe = p;
  probe.m = std::min(p.m, kProbe);
  probe.n = std::min(p.n, kProbe);
  // Rows of outputs lie side by side: as far apart as the product's, those of a large vocabulary would take 150 MB.
  if (alignment_of(p) == 16) probe.ldc = probe.ldd = (probe.m + 7) / 8 * 8;
  const int64_t element = p.type == lt::kF32 ? 4 : 2, out_bytes = probe.n * probe.ldd * element;
  const int64_t bytes[] = {probe.m * p.lda * 2, probe.n * p.ldb * 2, p.c ? probe.n * probe.ldc * element : 0,
                           p.bias ? probe.m * element : 0, out_bytes};
  int64_t offset[6] = {};
  for (int i = 0; i < 5; ++i) offset[i + 1] = offset[i] + (bytes[i] + 255) / 256 * 256;
  const Scratch scratch{size_t(offset[5])};
  // c, bias, and what lies between rows
  LIMR_CUDA_CHECK(cudaMemsetAsync(scratch.data(), 0, size_t(offset[5]), stream_));
  const auto fill = [&](int which, int64_t rows, int64_t ld, bool mirror) {
    const int64_t blocks = (rows * p.k + kThreads * 8 - 1) / (kThreads * 8);
    LIMR_LAUNCH(fill_probe, unsigned(blocks), kThreads, 0, stream_)
    (reinterpret_cast<uint16_t*>(scratch.data() + offset[which]), rows, p.k, ld, uint32_t(which), mirror);
    LIMR_CUDA_CHECK(cudaGetLastError());
  };
  fill(0, probe.m, p.lda, true);
  fill(1, probe.n, p.ldb, false);
  probe.a = scratch.data() + offset[0];
  probe.b = scratch.data() + offset[1];
  if (p.c) probe.c = scratch.data() + offset[2];
  if (p.bias) probe.bias = scratch.data() + offset[3];
  probe.d = scratch.data() + offset[4];
  const PlanPtr plan = describe(probe);
  if (!fits(*plan, algorithm) || !fits(*plan, anchor)) return false;
  std::vector<char> bits[2];
  for (int i = 0; i < 2; ++i) {
    bits[i].resize(size_t(out_bytes));
    launch(*plan, probe, i == 0 ? algorithm : anchor);
    LIMR_CUDA_CHECK(cudaMemcpyAsync(bits[i].data(), probe.d, size_t(out_bytes), cudaMemcpyDeviceToHost, stream_));
    LIMR_CUDA_CHECK(cudaStreamSynchronize(stream_));
  }
  return bits[0] == bits[1];
}

// For p's class of rows; the same for all of them.
lt::Algorithm LinearPlans::choose(const Product& p) {
  Product most = p;
  const auto remember = [&](const lt::Algorithm& algorithm, bool anchor, int tried) {
    report(most, algorithm, anchor, tried);
    return choices_[shape(p, most.n)] = algorithm;
  };
  most.n = kAnchorRows;
  const auto found = choices_.find(shape(p, kAnchorRows));
  const lt::Algorithm anchor =
      found != choices_.end() ? found->second : remember(propose(most, 1)[0].algorithm, true, 0);
  most.n = class_of(p.n);
  if (const auto known = choices_.find(shape(p, most.n)); known != choices_.end()) return known->second;
  int tried = 0;
  for (const lt::AlgorithmChoice& proposal : propose(most, kWanted)) {
    ++tried;
    if (same_bits(most, proposal.algorithm, anchor)) return remember(proposal.algorithm, false, tried);
  }
  return remember(anchor, true, tried);
}

void LinearPlans::report(const Product& p, const lt::Algorithm& algorithm, bool anchor, int tried) {
  const auto read = [&](lt::AlgorithmAttribute attribute) {
    int32_t value = -1;
    size_t written = 0;
    return lt_.algorithm_attribute(&algorithm, attribute, &value, sizeof value, &written) == 0 ? value : -1;
  };
  if (reports_.size() == kMaxPlans) reports_.clear();
  reports_.push_back({.kind = p.kind,
                      .m = p.m,
                      .n = p.n,
                      .k = p.k,
                      .algorithm = read(lt::kAlgorithmId),
                      .tile = read(lt::kTileId),
                      .stages = read(lt::kStagesId),
                      .split_k = read(lt::kSplitK),
                      .anchor = anchor,
                      .tried = tried});
}

void LinearPlans::run(const Product& p) {
  if (plans_.size() == kMaxPlans) plans_.clear();
  PlanPtr& plan = plans_[shape(p, p.n)];
  if (!plan) {
    PlanPtr made = describe(p);
    if (p.kind == Product::kForward) {
      made->algorithm = choose(p);
      LIMR_CHECK(fits(*made, made->algorithm), kUnsupported,
                 cat("cuBLASLt's algorithm for up to ", class_of(p.n), " rows does not take ", p.n, " rows of a [", p.m,
                     ", ", p.k, "] weight (", lt_.path, ", version ", lt_.version(), ")"),
                 "Another version of cuBLASLt may: pip install --upgrade nvidia-cublas.");
    } else {
      made->algorithm = propose(p, 1)[0].algorithm;
      report(p, made->algorithm, false, 0);
    }
    plan = std::move(made);
  }
  if (p.bias)
    check(lt_.set_matmul_attribute(plan->matmul, lt::kBiasPointer, &p.bias, sizeof p.bias),
          "cublasLtMatmulDescSetAttribute(bias pointer)");
  launch(*plan, p, plan->algorithm);
}

}  // namespace limr::cuda
