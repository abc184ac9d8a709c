// The second step of every sum over rows: partial sums of groups are added up in order, a thread a column.
#include "ops/cuda/launch.cuh"

namespace limr::cuda {
namespace {

constexpr int kThreads = 64;

__global__ void __launch_bounds__(kThreads)
    add_rows_kernel(float* out, const float* partial, int64_t stride, int64_t rows, int64_t cols) {
  const int64_t c = int64_t(blockIdx.x) * kThreads + threadIdx.x;
  if (c >= cols) return;
  float sum = 0;
#pragma unroll 8
  for (int64_t r = 0; r < rows; ++r) sum += partial[r * stride + c];
  out[c] += sum;
}

}  // namespace

void add_rows(Stream& s, float* out, const float* partial, int64_t stride, int64_t rows, int64_t cols) {
  if (rows == 0 || cols == 0) return;
  LIMR_LAUNCH(add_rows_kernel, blocks_for(cols, kThreads), kThreads, 0, s.queue)(out, partial, stride, rows, cols);
  launched(s, "add_rows");
}

}  // namespace limr::cuda
