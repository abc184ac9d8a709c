// See ops/cuda/swiglu.h. A thread takes eight gates, which lie side by side, and the eight ups 16 columns further.
#include "ops/cuda/swiglu.h"

#include "ops/cuda/launch.cuh"

namespace limr::cuda {
namespace {

constexpr int kThreads = 128;

struct Args {
  bf16* out;       // forward
  bf16* dgate_up;  // backward
  const bf16* gate_up;
  const bf16* dh;
  int64_t ldo, ldd, ldg, ldh;
  int64_t M, F;
  bool aligned;
};

__device__ __forceinline__ float sigmoid(float x) { return 1.0f / (1.0f + expf(-x)); }

__global__ void __launch_bounds__(kThreads) swiglu_kernel(const __grid_constant__ Args a) {
  const int64_t i = int64_t(blockIdx.x) * kThreads + threadIdx.x, chunks = a.F / kVector;
  if (i >= a.M * chunks) return;
  const int64_t m = i / chunks, f = i % chunks * kVector, at = m * a.ldg + f / 16 * 32 + f % 16;
  const Float8 g = load8(a.gate_up + at, kVector, a.aligned), u = load8(a.gate_up + at + 16, kVector, a.aligned);
  Float8 out;
#pragma unroll
  for (int j = 0; j < kVector; ++j) out.x[j] = g.x[j] * sigmoid(g.x[j]) * u.x[j];
  store8(a.out + m * a.ldo + f, out, kVector, a.aligned);
}

__global__ void __launch_bounds__(kThreads) swiglu_backward_kernel(const __grid_constant__ Args a) {
  const int64_t i = int64_t(blockIdx.x) * kThreads + threadIdx.x, chunks = a.F / kVector;
  if (i >= a.M * chunks) return;
  const int64_t m = i / chunks, f = i % chunks * kVector, column = f / 16 * 32 + f % 16;
  const int64_t at = m * a.ldg + column, to = m * a.ldd + column;
  const Float8 g = load8(a.gate_up + at, kVector, a.aligned), u = load8(a.gate_up + at + 16, kVector, a.aligned);
  const Float8 d = load8(a.dh + m * a.ldh + f, kVector, a.aligned);
  Float8 dg, du;
#pragma unroll
  for (int j = 0; j < kVector; ++j) {
    const float s = sigmoid(g.x[j]);
    dg.x[j] = d.x[j] * u.x[j] * s * (1.0f + g.x[j] * (1.0f - s));
    du.x[j] = d.x[j] * g.x[j] * s;
  }
  store8(a.dgate_up + to, dg, kVector, a.aligned);
  store8(a.dgate_up + to + 16, du, kVector, a.aligned);
}

bool aligned(const View& v) { return vector_rows(v.as<bf16>(), v.stride); }

}  // namespace

void swiglu_rows(Stream& s, const View& out, const View& gate_up) {
  if (out.rows == 0) return;
  const Args args{.out = out.as<bf16>(),
                  .dgate_up = nullptr,
                  .gate_up = gate_up.as<bf16>(),
                  .dh = nullptr,
                  .ldo = out.stride,
                  .ldd = 0,
                  .ldg = gate_up.stride,
                  .ldh = 0,
                  .M = out.rows,
                  .F = out.cols,
                  .aligned = aligned(out) && aligned(gate_up)};
  LIMR_LAUNCH(swiglu_kernel, blocks_for(args.M * (args.F / kVector), kThreads), kThreads, 0, s.queue)(args);
  launched(s, "swiglu");
}

void swiglu_backward_rows(Stream& s, const View& dgate_up, const View& gate_up, const View& dh) {
  if (dh.rows == 0) return;
  const Args args{.out = nullptr,
                  .dgate_up = dgate_up.as<bf16>(),
                  .gate_up = gate_up.as<bf16>(),
                  .dh = dh.as<bf16>(),
                  .ldo = 0,
                  .ldd = dgate_up.stride,
                  .ldg = gate_up.stride,
                  .ldh = dh.stride,
                  .M = dh.rows,
                  .F = dh.cols,
                  .aligned = aligned(dgate_up) && aligned(gate_up) && aligned(dh)};
  LIMR_LAUNCH(swiglu_backward_kernel, blocks_for(args.M * (args.F / kVector), kThreads), kThreads, 0, s.queue)(args);
  launched(s, "swiglu_backward");
}

}  // namespace limr::cuda
