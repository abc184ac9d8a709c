// Stands in for native/ops/cuda/cublaslt.cc: products in f32, k ascending, behind the same table of functions.
//
// It proposes two algorithms: 0, one sum, and 1, which adds even and odd k apart and so rounds differently. For few columns 1 comes
// first, so that whoever takes the first proposal for every batch gets rows whose bits depend on it.
#include "ops/cuda/cublaslt.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <memory>
#include <vector>

#include "runtime.h"

namespace limr::cuda::lt {
namespace {

constexpr int64_t kFewColumns = 128;

struct MatmulState {
  int32_t trans_a = 0, trans_b = 0;
  uint32_t epilogue = kEpilogueDefault;
  const void* bias = nullptr;
};
struct LayoutState {
  Type type;
  int64_t rows, cols, ld;
};
struct PreferenceState {
  uint64_t workspace = 0;
};

float element(const void* data, Type type, int64_t i) {
  if (type == kF32) return static_cast<const float*>(data)[i];
  return std::bit_cast<float>(uint32_t(static_cast<const uint16_t*>(data)[i]) << 16);
}
void set_element(void* data, Type type, int64_t i, float x) {
  if (type == kF32) {
    static_cast<float*>(data)[i] = x;
    return;
  }
  const auto u = std::bit_cast<uint32_t>(x);
  static_cast<uint16_t*>(data)[i] =
      (u & 0x7fffffffu) > 0x7f800000u ? uint16_t(0x7fff) : uint16_t((u + 0x7fffu + ((u >> 16) & 1u)) >> 16);
}

struct Operation3 {
  MatmulState op;
  LayoutState a, b, c, d;
  float alpha, beta;
  const void *pa, *pb, *pc;
  void* pd;
  bool halves;
};

bool valid(const MatmulState& op, const LayoutState& a, const LayoutState& b, const LayoutState& c,
           const LayoutState& d) {
  const int64_t m = op.trans_a ? a.cols : a.rows, ka = op.trans_a ? a.rows : a.cols;
  const int64_t kb = op.trans_b ? b.cols : b.rows, n = op.trans_b ? b.rows : b.cols;
  const auto fits = [](const LayoutState& l) { return l.ld >= l.rows && l.rows > 0 && l.cols > 0; };
  return ka == kb && d.rows == m && d.cols == n && c.rows == m && c.cols == n && c.type == d.type && a.type == b.type &&
         fits(a) && fits(b) && fits(c) && fits(d);
}

void multiply(const Operation3& o) {
  const int64_t m = o.d.rows, n = o.d.cols, k = o.op.trans_a ? o.a.rows : o.a.cols;
  std::vector<float> a(k * m), sum(m), odd(m);
  for (int64_t p = 0; p < k; ++p)
    for (int64_t i = 0; i < m; ++i)
      a[size_t(p * m + i)] = element(o.pa, o.a.type, o.op.trans_a ? p + i * o.a.ld : i + p * o.a.ld);
  for (int64_t j = 0; j < n; ++j) {
    std::fill(sum.begin(), sum.end(), 0.0f);
    std::fill(odd.begin(), odd.end(), 0.0f);
    for (int64_t p = 0; p < k; ++p) {
      const float b = element(o.pb, o.b.type, o.op.trans_b ? j + p * o.b.ld : p + j * o.b.ld);
      const float* row = &a[size_t(p * m)];
      float* to = o.halves && p % 2 ? odd.data() : sum.data();
      for (int64_t i = 0; i < m; ++i) to[i] += row[i] * b;
    }
    for (int64_t i = 0; i < m; ++i) {
      float x = o.alpha * (o.halves ? sum[size_t(i)] + odd[size_t(i)] : sum[size_t(i)]);
      if (o.beta != 0) x += o.beta * element(o.pc, o.c.type, i + j * o.c.ld);
      if (o.op.epilogue == kEpilogueBias) x += element(o.op.bias, o.d.type, i);
      set_element(o.pd, o.d.type, i + j * o.d.ld, x);
    }
  }
}

template <typename T>
T& state(void* handle) {
  return *static_cast<T*>(handle);
}

template <typename T>
int set(T& field, const void* value, size_t bytes) {
  if (bytes != sizeof field) return kStatusInvalidValue;
  std::memcpy(&field, value, sizeof field);
  return kStatusSuccess;
}

int set_matmul_attribute(Matmul m, MatmulAttribute attribute, const void* value, size_t bytes) {
  auto& s = state<MatmulState>(m);
  switch (attribute) {
    case kTransA:
      return set(s.trans_a, value, bytes);
    case kTransB:
      return set(s.trans_b, value, bytes);
    case kEpilogue:
      return set(s.epilogue, value, bytes);
    case kBiasPointer:
      return set(s.bias, value, bytes);
    case kBatchInvariance:
      break;  // of libraries newer than this one
  }
  return kStatusInvalidValue;
}

int set_preference_attribute(Preference p, PreferenceAttribute attribute, const void* value, size_t bytes) {
  if (attribute == kMaxWorkspaceBytes) return set(state<PreferenceState>(p).workspace, value, bytes);
  return kStatusSuccess;
}

AlgorithmChoice choice(int id) {
  AlgorithmChoice c{};
  c.algorithm.data[0] = uint64_t(id);
  c.waves = 1;
  return c;
}

int heuristic(Handle, Matmul m, Layout a, Layout b, Layout c, Layout d, Preference, int wanted, AlgorithmChoice* out,
              int* found) {
  *found = 0;
  if (!valid(state<MatmulState>(m), state<LayoutState>(a), state<LayoutState>(b), state<LayoutState>(c),
             state<LayoutState>(d)))
    return kStatusInvalidValue;
  const int first = state<LayoutState>(d).cols < kFewColumns ? 1 : 0;
  for (; *found < std::min(wanted, 2); ++*found) out[*found] = choice(*found ? 1 - first : first);
  return kStatusSuccess;
}

int check(Handle, Matmul m, Layout a, Layout b, Layout c, Layout d, const Algorithm* algorithm, AlgorithmChoice* out) {
  if (algorithm->data[0] > 1 || !valid(state<MatmulState>(m), state<LayoutState>(a), state<LayoutState>(b),
                                       state<LayoutState>(c), state<LayoutState>(d)))
    return kStatusNotSupported;
  *out = choice(int(algorithm->data[0]));
  return kStatusSuccess;
}

int algorithm_attribute(const Algorithm* algorithm, AlgorithmAttribute attribute, void* value, size_t bytes,
                        size_t* written) {
  const int32_t answer = attribute == kAlgorithmId ? int32_t(algorithm->data[0]) : attribute == kSplitK ? 1 : 0;
  if (bytes != sizeof answer) return kStatusInvalidValue;
  std::memcpy(value, &answer, sizeof answer);
  if (written) *written = sizeof answer;
  return kStatusSuccess;
}

int matmul(Handle, Matmul m, const void* alpha, const void* a, Layout la, const void* b, Layout lb, const void* beta,
           const void* c, Layout lc, void* d, Layout ld, const Algorithm* algorithm, void*, size_t,
           StreamHandle stream) {
  const Operation3 o{state<MatmulState>(m),
                     state<LayoutState>(la),
                     state<LayoutState>(lb),
                     state<LayoutState>(lc),
                     state<LayoutState>(ld),
                     *static_cast<const float*>(alpha),
                     *static_cast<const float*>(beta),
                     a,
                     b,
                     c,
                     d,
                     algorithm && algorithm->data[0] == 1};
  if (!valid(o.op, o.a, o.b, o.c, o.d)) return kStatusInvalidValue;
  shim::submit(static_cast<cudaStream_t>(stream), [o] { multiply(o); });
  return kStatusSuccess;
}

template <typename T>
int destroy(void* handle) {
  delete static_cast<T*>(handle);
  return kStatusSuccess;
}

}  // namespace

const CublasLt& load_cublaslt(const std::vector<std::string>&) {
  static const CublasLt table{
      .create = [](Handle* h) { return *h = new char, int(kStatusSuccess); },
      .destroy = destroy<char>,
      .version = [] { return size_t(130000); },
      .status_name = [](int status) { return status == kStatusSuccess ? "success" : "refused by the host shim"; },
      .matmul_create = [](Matmul* m, Compute, Type) { return *m = new MatmulState, int(kStatusSuccess); },
      .matmul_destroy = destroy<MatmulState>,
      .set_matmul_attribute = set_matmul_attribute,
      .layout_create =
          [](Layout* l, Type type, uint64_t rows, uint64_t cols, int64_t ld) {
            return *l = new LayoutState{type, int64_t(rows), int64_t(cols), ld}, int(kStatusSuccess);
          },
      .layout_destroy = destroy<LayoutState>,
      .preference_create = [](Preference* p) { return *p = new PreferenceState, int(kStatusSuccess); },
      .preference_destroy = destroy<PreferenceState>,
      .set_preference_attribute = set_preference_attribute,
      .heuristic = heuristic,
      .check = check,
      .algorithm_attribute = algorithm_attribute,
      .matmul = matmul,
      .path = "host shim"};
  return table;
}

}  // namespace limr::cuda::lt
