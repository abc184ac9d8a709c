#include "ops/cuda/launch.cuh"
#include "ops/cuda/swiglu.h"
#include "ops/matmul.h"

namespace limr::cuda {
namespace {

constexpr int kThreads = 256;
constexpr int kSumRows = 64;  // of a partial sum of dbias; linear_backward_weight_scratch_bytes counts them

lt::Type type_of(const View& v) { return v.dtype == DType::kBf16 ? lt::kBf16 : lt::kF32; }

// Row-major [rows, cols] is column-major [cols, rows]: so out = inp . weight^T is out' = weight inp'.
void product(Stream& stream, const View& out, const View& inp, const PackedWeight& weight, const void* bias,
             const View& residual) {
  stream.plans->run({.kind = Product::kForward,
                     .m = weight.rows,
                     .n = inp.rows,
                     .k = weight.cols,
                     .a = weight.panels,
                     .lda = weight.cols,
                     .b = inp.data,
                     .ldb = inp.stride,
                     .c = residual.data,
                     .ldc = residual.stride,
                     .d = out.data,
                     .ldd = out.stride,
                     .type = type_of(out),
                     .bias = bias});
}

__global__ void widen(float* out, const bf16* inp, int64_t n) {
  const int64_t i = int64_t(blockIdx.x) * blockDim.x + threadIdx.x;
  if (i < n) out[i] = to_float(inp[i]);
}

// partial[g, n] = the sum of rows 64g.. of dout[:, n], in order. A thread a column.
__global__ void column_partials(float* partial, const bf16* dout, int64_t stride, int64_t M, int64_t N) {
  const int64_t n = int64_t(blockIdx.x) * blockDim.x + threadIdx.x, begin = int64_t(blockIdx.y) * kSumRows;
  if (n >= N) return;
  float sum = 0;
  for (int64_t m = begin; m < M && m < begin + kSumRows; ++m) sum += to_float(dout[m * stride + n]);
  partial[int64_t(blockIdx.y) * N + n] = sum;
}

}  // namespace

void linear_forward(Stream& stream, const LinearForward& o) {
  const int64_t M = o.inp.rows, N = o.weight.rows;
  if (M == 0 || N == 0) return;
  const void* bias = o.bias.data;
  if (o.out.dtype == DType::kF32) {
    LIMR_CHECK(!o.residual, kUnsupported, "linear_forward: a residual is added to bf16 outputs only");
    if (bias) {  // the library wants a bias of the output's type
      LIMR_CHECK(N <= LinearPlans::kMaxBias, kUnsupported,
                 cat("linear_forward: a bias of ", N, " elements, at most ", LinearPlans::kMaxBias, " are supported"));
      LIMR_LAUNCH(widen, blocks_for(N, kThreads), kThreads, 0, stream.queue)
      (stream.plans->bias(), o.bias.as<bf16>(), N);
      launched(stream, "widen");
      bias = stream.plans->bias();
    }
  }
  product(stream, o.out, o.inp, o.weight, bias, o.residual);
}

void swiglu_forward(Stream& stream, const SwigluForward& o) {
  const int64_t M = o.inp.rows, N = o.weight.rows;
  if (M == 0) return;
  const View gate_up = o.gate_up ? o.gate_up : view(static_cast<bf16*>(o.scratch), M, N);
  product(stream, gate_up, o.inp, o.weight, nullptr, {});
  swiglu_rows(stream, o.out, gate_up);
}

void linear_backward_input(Stream& stream, const LinearBackwardInput& o) {
  if (o.dout.rows == 0) return;
  stream.plans->run({.kind = Product::kBackwardInput,
                     .m = o.weight.cols,
                     .n = o.dout.rows,
                     .k = o.weight.rows,  // dout's padding column is left out
                     .a = o.weight.panels,
                     .lda = o.weight.cols,
                     .b = o.dout.data,
                     .ldb = o.dout.stride,
                     .c = o.accumulate ? o.dinp.data : nullptr,
                     .ldc = o.dinp.stride,
                     .d = o.dinp.data,
                     .ldd = o.dinp.stride,
                     .type = type_of(o.dinp)});
}

void swiglu_backward(Stream& stream, const SwigluBackward& o) {
  if (o.dout.rows == 0) return;
  const View dh = view(static_cast<bf16*>(o.scratch), o.dout.rows, o.down.cols);
  linear_backward_input(stream, {.dinp = dh, .dout = o.dout, .weight = o.down});
  swiglu_backward_rows(stream, o.dgate_up, o.gate_up, dh);
}

void linear_backward_weight(Stream& stream, const LinearBackwardWeight& o) {
  const int64_t M = o.dout.rows, N = o.dout.cols, K = o.inp.cols;
  if (M == 0) return;
  stream.plans->run({.kind = Product::kBackwardWeight,
                     .m = K,
                     .n = N,
                     .k = M,
                     .a = o.inp.data,
                     .lda = o.inp.stride,
                     .b = o.dout.data,
                     .ldb = o.dout.stride,
                     .c = o.dweight,
                     .ldc = K,
                     .d = o.dweight,
                     .ldd = K,
                     .type = lt::kF32,
                     .workspace = o.scratch,
                     .workspace_bytes = size_t(kGemmWorkspace)});
  if (!o.dbias) return;
  auto* partial = reinterpret_cast<float*>(static_cast<char*>(o.scratch) + kGemmWorkspace);
  const int64_t groups = (M + kSumRows - 1) / kSumRows;
  LIMR_LAUNCH(column_partials, dim3(blocks_for(N, kThreads), unsigned(groups)), kThreads, 0, stream.queue)
  (partial, o.dout.as<bf16>(), o.dout.stride, M, N);
  launched(stream, "column_partials");
  add_rows(stream, o.dbias.as<float>(), partial, N, groups, N);
}

}  // namespace limr::cuda
