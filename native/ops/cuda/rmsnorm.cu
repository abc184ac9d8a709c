// See ops/rmsnorm.h. One block a row; the weight's gradient column by column, from groups of 64 rows.
#include "ops/cuda/launch.cuh"

namespace limr::cuda {
namespace {

constexpr int kRowThreads = 512, kColumnThreads = 128;

struct Args {
  RmsNormArgs a;
  bool aligned;
};

__global__ void __launch_bounds__(kRowThreads) rmsnorm_forward_kernel(const __grid_constant__ Args args) {
  const RmsNormArgs& a = args.a;
  const int64_t row = int64_t(blockIdx.x) * a.C, step = int64_t(blockDim.x) * kVector;
  float squares = 0;
  for (int64_t c = int64_t(threadIdx.x) * kVector; c < a.C; c += step) {
    const Float8 x = load8(a.inp + row + c, a.C - c, args.aligned);
#pragma unroll
    for (int i = 0; i < kVector; ++i) squares = fmaf(x.x[i], x.x[i], squares);
  }
  const float rstd = 1.0f / sqrtf(block_sum(squares) / float(a.C) + a.eps);
  if (threadIdx.x == 0 && a.rstd) a.rstd[blockIdx.x] = rstd;
  for (int64_t c = int64_t(threadIdx.x) * kVector; c < a.C; c += step) {
    Float8 x = load8(a.inp + row + c, a.C - c, args.aligned);
    const Float8 w = load8(a.weight + c, a.C - c, args.aligned);
#pragma unroll
    for (int i = 0; i < kVector; ++i) x.x[i] = x.x[i] * rstd * w.x[i];
    store8(a.out + int64_t(blockIdx.x) * a.ldo + c, x, a.C - c, args.aligned);
  }
}

__global__ void __launch_bounds__(kRowThreads) rmsnorm_backward_kernel(const __grid_constant__ Args args) {
  const RmsNormArgs& a = args.a;
  const int64_t row = int64_t(blockIdx.x) * a.C, step = int64_t(blockDim.x) * kVector;
  const float rstd = a.rstd[blockIdx.x];
  float dot = 0;
  for (int64_t c = int64_t(threadIdx.x) * kVector; c < a.C; c += step) {
    const Float8 x = load8(a.inp + row + c, a.C - c, args.aligned), d = load8(a.dout + row + c, a.C - c, args.aligned);
    const Float8 w = load8(a.weight + c, a.C - c, args.aligned);
#pragma unroll
    for (int i = 0; i < kVector; ++i) dot = fmaf(d.x[i] * w.x[i], x.x[i], dot);
  }
  const float along = block_sum(dot) * rstd * rstd * rstd / float(a.C);
  for (int64_t c = int64_t(threadIdx.x) * kVector; c < a.C; c += step) {
    const Float8 x = load8(a.inp + row + c, a.C - c, args.aligned), d = load8(a.dout + row + c, a.C - c, args.aligned);
    const Float8 w = load8(a.weight + c, a.C - c, args.aligned);
    Float8 out{};
    if (a.dresidual) out = load8(a.dresidual + row + c, a.C - c, args.aligned);
#pragma unroll
    for (int i = 0; i < kVector; ++i) out.x[i] += d.x[i] * w.x[i] * rstd - x.x[i] * along;
    store8(a.dinp + row + c, out, a.C - c, args.aligned);
  }
}

// Block (x, y): columns of x over the rows of group y, in order.
__global__ void __launch_bounds__(kColumnThreads) rmsnorm_weight_kernel(const __grid_constant__ RmsNormArgs a) {
  const int64_t c = int64_t(blockIdx.x) * kColumnThreads + threadIdx.x, begin = int64_t(blockIdx.y) * kNormRowGroup;
  if (c >= a.C) return;
  const int64_t end = min(begin + kNormRowGroup, a.N);
  float sum = 0;
#pragma unroll 8
  for (int64_t n = begin; n < end; ++n) sum = fmaf(a.dout[n * a.C + c] * to_float(a.inp[n * a.C + c]), a.rstd[n], sum);
  a.partial[int64_t(blockIdx.y) * a.C + c] = sum;
}

}  // namespace

void rmsnorm_forward(Stream& s, const RmsNormForward& o) {
  const int64_t N = o.inp.rows, C = o.inp.cols;
  if (N == 0) return;  // an empty batch is legal, an empty grid is not
  const auto *inp = o.inp.as<bf16>(), *weight = o.weight.as<bf16>();
  const Args args{{.out = o.out.as<bf16>(),
                   .rstd = o.rstd.as<float>(),
                   .inp = inp,
                   .weight = weight,
                   .eps = o.eps,
                   .ldo = o.out.stride,
                   .N = N,
                   .C = C},
                  vector_rows(inp, C) && vector_rows(o.out.as<bf16>(), o.out.stride) && vector_rows(weight, C)};
  LIMR_LAUNCH(rmsnorm_forward_kernel, unsigned(N), row_threads(C, kVector, kRowThreads), 0, s.queue)(args);
  launched(s, "rmsnorm_forward");
}

void rmsnorm_backward(Stream& s, const RmsNormBackward& o) {
  const int64_t N = o.inp.rows, C = o.inp.cols;
  if (N == 0) return;
  const auto *inp = o.inp.as<bf16>(), *weight = o.weight.as<bf16>(), *dresidual = o.dresidual.as<bf16>();
  const Args args{{.rstd = o.rstd.as<float>(),
                   .inp = inp,
                   .weight = weight,
                   .N = N,
                   .C = C,
                   .dinp = o.dinp.as<bf16>(),
                   .partial = static_cast<float*>(o.scratch),
                   .dout = o.dout.as<float>(),
                   .dresidual = dresidual},
                  vector_rows(inp, C) && vector_rows(o.dinp.as<bf16>(), C) && vector_rows(weight, C) &&
                      vector_rows(o.dout.as<float>(), C) && vector_rows(dresidual, C)};
  const int64_t groups = (N + kNormRowGroup - 1) / kNormRowGroup;
  LIMR_LAUNCH(rmsnorm_weight_kernel, dim3(blocks_for(C, kColumnThreads), unsigned(groups)), kColumnThreads, 0, s.queue)
  (args.a);
  launched(s, "rmsnorm_weight");
  LIMR_LAUNCH(rmsnorm_backward_kernel, unsigned(N), row_threads(C, kVector, kRowThreads), 0, s.queue)(args);
  launched(s, "rmsnorm_backward");
  add_rows(s, o.dweight.as<float>(), args.a.partial, C, groups, C);
}

}  // namespace limr::cuda
