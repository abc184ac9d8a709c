// See ops/adamw.h. A block of 256 threads takes 256 elements, which is also what one scale of 8-bit moments covers.
#include <cmath>

#include "ops/cuda/launch.cuh"

namespace limr::cuda {
namespace {

constexpr int kThreads = 256;
static_assert(kThreads == kMomentBlock);

struct Args {
  AdamWArgs a;  // without its moments
  Moment m, v;
  const float* codebooks;
  int64_t n;
};

// The nearest entry of an ascending codebook, the lower of two equally near. Not below `first`.
__device__ __forceinline__ uint8_t nearest(const float* codebook, float x, int first) {
  int low = first, high = 255;  // the answer is in [low, high]
  while (low < high) {
    const int middle = (low + high) / 2;
    if (x - codebook[middle] <= codebook[middle + 1] - x)
      high = middle;
    else
      low = middle + 1;
  }
  return uint8_t(low);
}

// One moment of one element: read before the update, written after. All threads of the block call both.
template <MomentFormat kFormat>
__device__ __forceinline__ float load_moment(const Moment& m, const float* codebook, int64_t i, bool inside) {
  if (!inside) return 0;
  if constexpr (kFormat == MomentFormat::kF32) return static_cast<const float*>(m.data)[i];
  if constexpr (kFormat == MomentFormat::kBf16) return to_float(static_cast<const bf16*>(m.data)[i]);
  if constexpr (kFormat == MomentFormat::kCode8)
    return codebook[static_cast<const uint8_t*>(m.data)[i]] * m.scale[i / kMomentBlock];
}
template <MomentFormat kFormat>
__device__ __forceinline__ void store_moment(const Moment& m, const float* codebook, bool with_sign, int64_t i,
                                             bool inside, float x) {
  if constexpr (kFormat == MomentFormat::kF32) {
    if (inside) static_cast<float*>(m.data)[i] = x;
  } else if constexpr (kFormat == MomentFormat::kBf16) {
    if (inside) static_cast<bf16*>(m.data)[i] = to_bf16(x);
  } else {
    const float scale = block_max(inside ? fabsf(x) : 0.0f);
    if (threadIdx.x == 0) m.scale[i / kMomentBlock] = scale;
    const float y = scale > 0 ? x / scale : 0.0f;
    if (inside) static_cast<uint8_t*>(m.data)[i] = nearest(codebook, y, !with_sign && x != 0 ? 1 : 0);
  }
}

__device__ __forceinline__ float join_master(bf16 weight, uint16_t remainder) {
  return __uint_as_float((uint32_t(weight) << 16) - ((uint32_t(remainder) & 0x8000u) << 1) + remainder);
}

template <MomentFormat kFormat>
__global__ void __launch_bounds__(kThreads) adamw_kernel(const __grid_constant__ Args args) {
  __shared__ float codebooks[kFormat == MomentFormat::kCode8 ? 512 : 1];
  if constexpr (kFormat == MomentFormat::kCode8) {
    for (int c = int(threadIdx.x); c < 512; c += kThreads) codebooks[c] = args.codebooks[c];
    __syncthreads();
  }
  const AdamWArgs& a = args.a;
  const int64_t i = int64_t(blockIdx.x) * kThreads + threadIdx.x;
  const bool inside = i < args.n;
  const float g = inside ? a.grad[i] * a.grad_scale : 0.0f;
  const float m = fmaf(a.beta1, load_moment<kFormat>(args.m, codebooks, i, inside), a.rest1 * g);
  const float v = fmaf(a.beta2, load_moment<kFormat>(args.v, codebooks + 256, i, inside), a.rest2 * g * g);
  store_moment<kFormat>(args.m, codebooks, true, i, inside, m);
  store_moment<kFormat>(args.v, codebooks + 256, false, i, inside, v);
  if (!inside) return;
  const float denominator = sqrtf(v) / a.sqrt_correction + a.eps;
  const float w = join_master(a.weight[i], a.remainder[i]);
  const uint32_t next = __float_as_uint(w * a.keep - a.step_size * (m / denominator));
  a.weight[i] = bf16((next + 0x8000u) >> 16);
  a.remainder[i] = uint16_t(next);
}

constexpr int kSumThreads = 256;

// One block of kSumBlock elements: a tree of f32 sums, widened at its end.
__global__ void __launch_bounds__(kSumThreads) sum_squares_kernel(double* partial, const float* data, int64_t n) {
  const int64_t begin = int64_t(blockIdx.x) * kSumBlock;
  const bool aligned = reinterpret_cast<uintptr_t>(data) % 16 == 0;
  float sum = 0;
  for (int64_t i = int64_t(threadIdx.x) * kVector; i < kSumBlock; i += kSumThreads * kVector) {
    if (begin + i >= n) break;
    const Float8 x = load8(data + begin + i, n - begin - i, aligned);
#pragma unroll
    for (int j = 0; j < kVector; ++j) sum = fmaf(x.x[j], x.x[j], sum);
  }
  sum = block_sum(sum);
  if (threadIdx.x == 0) partial[blockIdx.x] = double(sum);
}
// partial[count] = the sum of what stands before it.
__global__ void __launch_bounds__(kSumThreads) sum_partials_kernel(double* partial, int64_t count) {
  double sum = 0;
  for (int64_t i = threadIdx.x; i < count; i += kSumThreads) sum += partial[i];
  sum = block_sum(sum);
  if (threadIdx.x == 0) partial[count] = sum;
}

}  // namespace

void adamw(Stream& s, const AdamW& o) {
  if (o.n == 0) return;
  const double t = double(o.step), correction1 = 1 - std::pow(o.beta1, t), correction2 = 1 - std::pow(o.beta2, t);
  const Args args{{.weight = o.weight,
                   .remainder = o.remainder,
                   .grad = o.grad,
                   .grad_scale = o.grad_scale,
                   .beta1 = float(o.beta1),
                   .rest1 = float(1 - o.beta1),
                   .beta2 = float(o.beta2),
                   .rest2 = float(1 - o.beta2),
                   .step_size = float(o.lr / correction1),
                   .sqrt_correction = float(std::sqrt(correction2)),
                   .eps = float(o.eps),
                   .keep = float(1 - o.lr * o.weight_decay)},
                  o.exp_avg,
                  o.exp_avg_sq,
                  o.codebooks,
                  o.n};
  const auto launch = [&](auto kernel) {
    LIMR_LAUNCH(kernel, blocks_for(o.n, kThreads), kThreads, 0, s.queue)(args);
    launched(s, "adamw");
  };
  switch (o.format) {
    case MomentFormat::kF32:
      return launch(adamw_kernel<MomentFormat::kF32>);
    case MomentFormat::kBf16:
      return launch(adamw_kernel<MomentFormat::kBf16>);
    case MomentFormat::kCode8:
      LIMR_CHECK(o.codebooks && o.exp_avg.scale && o.exp_avg_sq.scale, kInternal,
                 "adamw: 8-bit moments without scales or codebooks");
      return launch(adamw_kernel<MomentFormat::kCode8>);
  }
}

void sum_squares(Stream& s, const SumSquares& o) {
  const int64_t blocks = (o.n + kSumBlock - 1) / kSumBlock;
  if (blocks > 0) {
    LIMR_LAUNCH(sum_squares_kernel, unsigned(blocks), kSumThreads, 0, s.queue)(o.partial, o.data, o.n);
    launched(s, "sum_squares");
  }
  LIMR_LAUNCH(sum_partials_kernel, 1, kSumThreads, 0, s.queue)(o.partial, blocks);
  launched(s, "sum_partials");
}

}  // namespace limr::cuda
