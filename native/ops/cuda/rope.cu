// See ops/rope.h. A warp takes one head of one row; lane l holds the pairs (i, i + D/2) of i = l, l + 32, ...
#include "ops/cuda/launch.cuh"

namespace limr::cuda {
namespace {

constexpr int kWarps = 8, kThreads = kWarps * kWarp;
constexpr int kPairs = 256 / 2 / kWarp;  // of a lane, for the widest head

struct Pairs {
  float low[kPairs], high[kPairs];
};

__device__ __forceinline__ int lane() { return int(threadIdx.x) % kWarp; }

__device__ __forceinline__ Pairs load_pairs(const float* x, int D) {
  Pairs p;
#pragma unroll
  for (int j = 0; j < kPairs; ++j) {
    const int i = lane() + j * kWarp;
    p.low[j] = i < D / 2 ? x[i] : 0.0f;
    p.high[j] = i < D / 2 ? x[i + D / 2] : 0.0f;
  }
  return p;
}
__device__ __forceinline__ void store_pairs(bf16* y, const Pairs& p, int D) {
#pragma unroll
  for (int j = 0; j < kPairs; ++j) {
    const int i = lane() + j * kWarp;
    if (i < D / 2) y[i] = to_bf16(p.low[j]), y[i + D / 2] = to_bf16(p.high[j]);
  }
}
__device__ __forceinline__ Pairs load_weight(const bf16* weight, int D) {
  Pairs p;
#pragma unroll
  for (int j = 0; j < kPairs; ++j) {
    const int i = lane() + j * kWarp;
    p.low[j] = i < D / 2 ? to_float(weight[i]) : 0.0f;
    p.high[j] = i < D / 2 ? to_float(weight[i + D / 2]) : 0.0f;
  }
  return p;
}
__device__ __forceinline__ float dot(const Pairs& a, const Pairs& b) {
  float sum = 0;
#pragma unroll
  for (int j = 0; j < kPairs; ++j) sum = fmaf(a.high[j], b.high[j], fmaf(a.low[j], b.low[j], sum));
  return warp_sum(sum);
}
// By the angles of a position; backwards with sign -1.
__device__ __forceinline__ void rotate(Pairs& p, const float* cos, const float* sin, float sign, int D) {
#pragma unroll
  for (int j = 0; j < kPairs; ++j) {
    const int i = lane() + j * kWarp;
    if (i >= D / 2) continue;
    const float c = cos[i], s = sign * sin[i], a = p.low[j], b = p.high[j];
    p.low[j] = a * c - b * s;
    p.high[j] = b * c + a * s;
  }
}
__device__ __forceinline__ float rstd_of(const Pairs& x, float eps, int D) {
  return 1.0f / sqrtf(dot(x, x) / float(D) + eps);
}

__global__ void __launch_bounds__(kThreads) rope_forward_kernel(const __grid_constant__ RopeArgs a) {
  const int D = int(a.D);
  const int64_t heads = a.H + 2 * a.K, item = int64_t(blockIdx.x) * kWarps + threadIdx.x / kWarp;
  if (item >= a.N * heads) return;
  const int64_t n = item / heads, h = item % heads;
  Pairs x = load_pairs(a.qkv + item * D, D);
  if (h < a.H + a.K) {
    const bf16* norm = h < a.H ? a.q_norm : a.k_norm;
    if (norm) {
      const float rstd = rstd_of(x, a.eps, D);
      const Pairs w = load_weight(norm, D);
#pragma unroll
      for (int j = 0; j < kPairs; ++j) x.low[j] = x.low[j] * rstd * w.low[j], x.high[j] = x.high[j] * rstd * w.high[j];
    }
    const int64_t angles = int64_t(a.positions[n]) * (D / 2);
    rotate(x, a.cos + angles, a.sin + angles, 1.0f, D);
  }
  if (h < a.H) {
    store_pairs(a.q + (n * a.H + h) * D, x, D);
    return;
  }
  const int64_t slot = a.slots[n], kv_head = (h - a.H) % a.K;
  bf16* keys = a.kv + slot / kPageKeys * a.page_stride + kv_head * 2 * kPageKeys * D;
  store_pairs(keys + (h < a.H + a.K ? 0 : kPageKeys * D) + slot % kPageKeys * D, x, D);
}

// Block b: rows [b * rows, ...), their heads one after the other through its warps. With a norm, `rows` is a group of 64, and the block
// adds up its share of the norms' gradients: each warp its own heads in order, then the warps in order.
__global__ void __launch_bounds__(kThreads) rope_backward_kernel(const __grid_constant__ RopeArgs a, int rows) {
  LIMR_DYNAMIC_SHARED(float, of_warp);  // [warps][2][D], with a norm
  const int D = int(a.D), warp = int(threadIdx.x) / kWarp;
  const int64_t heads = a.H + 2 * a.K, begin = int64_t(blockIdx.x) * rows * heads;
  const int64_t end = min(begin + rows * heads, a.N * heads);
  Pairs dq_norm{}, dk_norm{};
  for (int64_t item = begin + warp; item < end; item += kWarps) {
    const int64_t n = item / heads, h = item % heads;
    const bool query = h < a.H, key = !query && h < a.H + a.K;
    const float* from = query ? a.dq + (n * a.H + h) * D : (key ? a.dk : a.dv) + (n * a.K + (h - a.H) % a.K) * D;
    Pairs g = load_pairs(from, D);
    if (query || key) {
      const int64_t angles = int64_t(a.positions[n]) * (D / 2);
      rotate(g, a.cos + angles, a.sin + angles, -1.0f, D);
      if (const bf16* norm = query ? a.q_norm : a.k_norm) {
        const Pairs x = load_pairs(a.qkv + item * D, D), w = load_weight(norm, D);
        const float rstd = rstd_of(x, a.eps, D);
        Pairs& dnorm = query ? dq_norm : dk_norm;
#pragma unroll
        for (int j = 0; j < kPairs; ++j) {
          dnorm.low[j] = fmaf(g.low[j] * x.low[j], rstd, dnorm.low[j]);
          dnorm.high[j] = fmaf(g.high[j] * x.high[j], rstd, dnorm.high[j]);
          g.low[j] *= w.low[j], g.high[j] *= w.high[j];
        }
        const float along = dot(g, x) * rstd * rstd * rstd / float(D);
#pragma unroll
        for (int j = 0; j < kPairs; ++j) {
          g.low[j] = g.low[j] * rstd - x.low[j] * along;
          g.high[j] = g.high[j] * rstd - x.high[j] * along;
        }
      }
    }
    store_pairs(a.dqkv + item * D, g, D);
  }
  if (!a.q_norm) return;
#pragma unroll
  for (int j = 0; j < kPairs; ++j) {
    const int i = lane() + j * kWarp;
    if (i >= D / 2) continue;
    float* q = of_warp + warp * 2 * D;
    q[i] = dq_norm.low[j], q[i + D / 2] = dq_norm.high[j];
    q[D + i] = dk_norm.low[j], q[D + i + D / 2] = dk_norm.high[j];
  }
  __syncthreads();
  for (int d = int(threadIdx.x); d < 2 * D; d += kThreads) {
    float sum = 0;
#pragma unroll
    for (int w = 0; w < kWarps; ++w) sum += of_warp[w * 2 * D + d];
    a.partial[int64_t(blockIdx.x) * 2 * D + d] = sum;
  }
}

}  // namespace

void rope_forward(Stream& s, const RopeForward& o) {
  const int64_t N = o.qkv.rows, D = o.kv.head_dim, K = o.kv.num_kv_heads, H = o.qkv.cols / D - 2 * K;
  if (N == 0) return;
  const RopeArgs args{.q = o.q.as<bf16>(),
                      .kv = o.kv.data,
                      .page_stride = o.kv.page_stride,
                      .qkv = o.qkv.as<float>(),
                      .positions = o.positions,
                      .slots = o.slots,
                      .cos = o.rope.cos,
                      .sin = o.rope.sin,
                      .q_norm = o.norm.q,
                      .k_norm = o.norm.k,
                      .eps = o.norm.eps,
                      .N = N,
                      .H = H,
                      .K = K,
                      .D = D};
  LIMR_LAUNCH(rope_forward_kernel, blocks_for(N * (H + 2 * K), kWarps), kThreads, 0, s.queue)(args);
  launched(s, "rope_forward");
}

void rope_backward(Stream& s, const RopeBackward& o) {
  const int64_t N = o.dqkv.rows, D = o.head_dim;
  if (N == 0) return;
  const bool norm = o.norm.q != nullptr;
  const RopeArgs args{.qkv = o.qkv.as<float>(),
                      .positions = o.positions,
                      .cos = o.rope.cos,
                      .sin = o.rope.sin,
                      .q_norm = o.norm.q,
                      .k_norm = o.norm.k,
                      .eps = o.norm.eps,
                      .N = N,
                      .H = o.num_heads,
                      .K = o.num_kv_heads,
                      .D = D,
                      .dqkv = o.dqkv.as<bf16>(),
                      .dq = o.dq.as<float>(),
                      .dk = o.dk.as<float>(),
                      .dv = o.dv.as<float>(),
                      .partial = static_cast<float*>(o.scratch)};
  constexpr int kRowsWithoutNorm = 4;
  const int rows = norm ? int(kNormRowGroup) : kRowsWithoutNorm;
  const int64_t groups = blocks_for(N, rows);
  LIMR_LAUNCH(rope_backward_kernel, unsigned(groups), kThreads, norm ? size_t(kWarps * 2 * D) * sizeof(float) : 0,
              s.queue)
  (args, rows);
  launched(s, "rope_backward");
  if (!norm) return;
  add_rows(s, o.dq_norm.as<float>(), args.partial, 2 * D, groups, D);
  add_rows(s, o.dk_norm.as<float>(), args.partial + D, 2 * D, groups, D);
}

}  // namespace limr::cuda
