// native/ops/matmul.h - linear layers, forward and backward, over weights in panels.
//
// Layout. A weight [N, K] (N outputs, K inputs, as in Hugging Face) is stored as ceil(N/32) panels of 32 rows; a panel is
// [K/2][32][2]: for each pair of inputs, its 32 outputs side by side, rows past N zero. Gradients, moments and remainders of a
// weight use the same order of elements.
//
// Order of sums. Every output is one f32 accumulator that starts from 0 (or from what it accumulates into) and takes the pairs
// (k, k+1) in order, each as two fused multiply-adds, the odd element first, denormals read as zero: what vdpbf16ps does.
// So an output depends on its own row and column alone: not on M, tiling, threads or instruction set.
//
// On a device the weight is row-major (ops/cuda/table.h), and sums are those of its matrix library, bf16 operands, f32 accumulators.
//
// M tokens, N outputs, K inputs. K is even. All views have unit stride inside rows.
#pragma once
#include "core/context.h"
#include "core/view.h"

namespace limr {

constexpr int64_t kPanelRows = 32;

inline int64_t round_up(int64_t n, int64_t to) { return (n + to - 1) / to * to; }
inline int64_t packed_elements(int64_t rows, int64_t cols) { return round_up(rows, kPanelRows) * cols; }
// Index of element (row, col) in a weight of `cols` columns.
inline int64_t packed_index(int64_t row, int64_t col, int64_t cols) {
  return row / kPanelRows * kPanelRows * cols + col / 2 * 2 * kPanelRows + row % kPanelRows * 2 + col % 2;
}

// Where the elements of a weight lie, by device; both take packed_elements.
enum class Layout : uint8_t { kPanels, kRows };
inline Layout weight_layout(DeviceKind device) { return device == DeviceKind::kCpu ? Layout::kPanels : Layout::kRows; }
inline int64_t weight_index(Layout layout, int64_t row, int64_t col, int64_t cols) {
  return layout == Layout::kPanels ? packed_index(row, col, cols) : row * cols + col;
}

struct PackedWeight {
  const bf16* panels = nullptr;
  int64_t rows = 0, cols = 0;  // N, K
};

// out[m,n] = sum_k inp[m,k] weight[n,k] (+ bias[n]) (+ residual[m,n]), the additions in f32, one rounding.
struct LinearForward {
  View out;  // [M, N] f32 or bf16; may alias residual
  View inp;  // [M, K] bf16
  PackedWeight weight;
  View bias;      // [1, N] bf16, or absent
  View residual;  // [M, N] bf16, or absent
};
void linear_forward(const Context&, const LinearForward&);

// SwiGLU. Shazeer 2020, arXiv:2002.05202:  out[m,f] = silu(g) * u,  g = inp . gate[f],  u = inp . up[f].
// The weight has 2F rows: blocks of 16 gate rows and the 16 up rows of the same f in turn ("gate-up order").
struct SwigluForward {
  View out;      // [M, F] bf16
  View gate_up;  // [M, 2F] bf16 in gate-up order, for backward; or absent
  View inp;      // [M, K] bf16
  PackedWeight weight;
  void* scratch = nullptr;  // swiglu_forward_scratch_bytes; not needed with gate_up
};
// A device keeps the products g and u, rounded to bf16, before it joins them: [M, 2F].
size_t swiglu_forward_scratch_bytes(Target, int64_t tokens, int64_t intermediate_size);
void swiglu_forward(const Context&, const SwigluForward&);

// dinp[m,k] (=, or += when accumulating) sum_n dout[m,n] weight[n,k]
struct LinearBackwardInput {
  View dinp;  // [M, K] f32 or bf16; += needs f32
  View dout;  // [M, N] bf16; N even, or one more zero column for an odd N
  PackedWeight weight;
  bool accumulate = false;
};
void linear_backward_input(const Context&, const LinearBackwardInput&);

// Through the down projection and SwiGLU at once:  dh = dout . down,  s = sigmoid(g):
//   dg = dh * u * s * (1 + g * (1 - s))      du = dh * g * s
struct SwigluBackward {
  View dgate_up;            // [M, 2F] bf16 in gate-up order; may alias gate_up
  View gate_up;             // [M, 2F] bf16
  View dout;                // [M, N] bf16, gradient of the down projection's output
  PackedWeight down;        // [N, F]
  void* scratch = nullptr;  // swiglu_backward_scratch_bytes
};
// A device keeps dh, rounded to bf16: [M, F].
size_t swiglu_backward_scratch_bytes(Target, int64_t tokens, int64_t intermediate_size);
void swiglu_backward(const Context&, const SwigluBackward&);

// dweight[n,k] += sum_m dout[m,n] inp[m,k], and dbias[n] += sum_m dout[m,n]
struct LinearBackwardWeight {
  float* dweight;  // packed_elements(N, K), in the order of the weight
  View dbias;      // [1, N] f32, or absent
  View dout;       // [M, N] bf16
  View inp;        // [M, K] bf16
  void* scratch;   // linear_backward_weight_scratch_bytes(M, N, K)
};
// On a device: kGemmWorkspace bytes for its matrix library, then [ceil(M / 64), N] f32 sums for dbias.
constexpr int64_t kGemmWorkspace = int64_t(32) << 20;
size_t linear_backward_weight_scratch_bytes(Target, int64_t tokens, int64_t rows, int64_t cols);
void linear_backward_weight(const Context&, const LinearBackwardWeight&);

// One kernel serves them: c = a . b over panels, then what happens to a finished tile.
struct GemmArgs {
  enum Mode { kF32, kF32Add, kBf16, kSwiglu, kSwigluBackward };
  Mode mode = kF32;
  const bf16* a = nullptr;  // [M, 2*pairs], row stride lda
  int64_t lda = 0;
  const bf16* b =
      nullptr;  // panels [pairs][32][2]; to be turned: those of a weight [2*pairs, N], of which b is the transpose
  bool turn = false;
  int64_t M = 0, N = 0, pairs = 0;
  void* c = nullptr;
  int64_t ldc = 0;
  const bf16* bias = nullptr;      // kBf16, kF32
  const bf16* residual = nullptr;  // kBf16, row stride ldr
  int64_t ldr = 0;
  bf16* gate_up = nullptr;  // kSwiglu: written when not null; kSwigluBackward: read
  int64_t ldg = 0;
};

// And one the gradients of weights: dweight[n,k] += sum over pairs of tokens.
struct GradientArgs {
  float* dweight = nullptr;    // packed order, of a weight with K columns
  const bf16* dout = nullptr;  // [M, N], row stride ldd
  int64_t ldd = 0;
  const bf16* inp = nullptr;  // tiles [ceil(M/2)][gradient_rows][2]
  int64_t M = 0, N = 0, K = 0;
};

}  // namespace limr
