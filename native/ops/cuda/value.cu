// See ops/value.h. A warp takes a row; the weight's gradient is summed column by column, from groups of 64 rows.
#include "ops/cuda/launch.cuh"

namespace limr::cuda {
namespace {

constexpr int kThreads = 128, kWarps = kThreads / kWarp;

struct Args {
  ValueArgs a;
  bool aligned;
};

__global__ void __launch_bounds__(kThreads) value_forward_kernel(const __grid_constant__ Args args) {
  const ValueArgs& a = args.a;
  const int64_t n = int64_t(blockIdx.x) * kWarps + threadIdx.x / kWarp, lane = threadIdx.x % kWarp;
  if (n >= a.N) return;  // a whole warp
  float sum = 0;
  for (int64_t c = lane * kVector; c < a.C; c += kWarp * kVector) {
    const Float8 x = load8(a.inp + n * a.C + c, a.C - c, args.aligned), w = load8(a.weight + c, a.C - c, args.aligned);
#pragma unroll
    for (int i = 0; i < kVector; ++i) sum = fmaf(x.x[i], w.x[i], sum);
  }
  sum = warp_sum(sum);
  if (lane == 0) a.values[n] = sum;
}

// Block (x, y): columns of x of the rows of group y: their dinp, and their share of dweight.
__global__ void __launch_bounds__(kThreads) value_backward_kernel(const __grid_constant__ ValueArgs a, float* partial) {
  const int64_t c = int64_t(blockIdx.x) * kThreads + threadIdx.x, begin = int64_t(blockIdx.y) * kNormRowGroup;
  if (c >= a.C) return;
  const int64_t end = min(begin + kNormRowGroup, a.N);
  const float w = to_float(a.weight[c]);
  float sum = 0;
#pragma unroll 8
  for (int64_t n = begin; n < end; ++n) {
    a.dinp[n * a.C + c] = a.dvalues[n] * w;
    sum = fmaf(a.dvalues[n], to_float(a.inp[n * a.C + c]), sum);
  }
  partial[int64_t(blockIdx.y) * a.C + c] = sum;
}

}  // namespace

void value_forward(Stream& s, const ValueForward& o) {
  if (o.inp.rows == 0) return;
  const auto *inp = o.inp.as<bf16>(), *weight = o.weight.as<bf16>();
  const Args args{{.values = o.values, .inp = inp, .weight = weight, .N = o.inp.rows, .C = o.inp.cols},
                  vector_rows(inp, o.inp.cols) && vector_rows(weight, o.inp.cols)};
  LIMR_LAUNCH(value_forward_kernel, blocks_for(args.a.N, kWarps), kThreads, 0, s.queue)(args);
  launched(s, "value_forward");
}

void value_backward(Stream& s, const ValueBackward& o) {
  const int64_t N = o.inp.rows, C = o.inp.cols;
  if (N == 0) return;
  const ValueArgs args{.inp = o.inp.as<bf16>(),
                       .weight = o.weight.as<bf16>(),
                       .dinp = o.dinp.as<float>(),
                       .dvalues = o.dvalues,
                       .N = N,
                       .C = C};
  auto* partial = static_cast<float*>(o.scratch);
  const int64_t groups = blocks_for(N, kNormRowGroup);
  LIMR_LAUNCH(value_backward_kernel, dim3(blocks_for(C, kThreads), unsigned(groups)), kThreads, 0, s.queue)
  (args, partial);
  launched(s, "value_backward");
  add_rows(s, o.dweight.as<float>(), partial, C, groups, C);
}

}  // namespace limr::cuda
