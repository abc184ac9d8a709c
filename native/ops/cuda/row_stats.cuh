// native/ops/cuda/row_stats.cuh - the statistics of one row of logits: one body for sampler and trainer, so that both report the same bits.
#pragma once
#include "ops/cuda/launch.cuh"
#include "ops/logprob.h"

namespace limr::cuda {

constexpr int kStatsThreads = 512;  // the sampler's registers allow no more
// Threads of a block that owns a row of V logits: a function of V alone, as the order of sums is.
inline unsigned stats_threads(int64_t V) { return row_threads(V, 16, kStatsThreads); }

// In one pass over the row: m = the largest z so far, sum = sum exp(z - m), sum_z = sum exp(z - m) (z - m).
struct Online {
  float max, sum, sum_z;
};

// The sums of `b` on the scale of the larger maximum; an empty part has max = -inf.
__device__ __forceinline__ Online join(const Online& a, const Online& b) {
  const float m = fmaxf(a.max, b.max);
  if (m == -INFINITY) return a;
  const float da = a.max - m, db = b.max - m, ea = expf(da), eb = expf(db);
  const float za = a.sum == 0 ? 0.0f : ea * (a.sum_z + da * a.sum),
              zb = b.sum == 0 ? 0.0f : eb * (b.sum_z + db * b.sum);
  return {m, ea * a.sum + eb * b.sum, za + zb};
}
__device__ __forceinline__ Online shuffle_xor(const Online& a, int mask) {
  return {__shfl_xor_sync(~0u, a.max, mask), __shfl_xor_sync(~0u, a.sum, mask), __shfl_xor_sync(~0u, a.sum_z, mask)};
}

__device__ __forceinline__ void take(Online& a, float z) {
  if (z == -INFINITY) return;  // adds nothing to any sum
  if (z > a.max) {             // NaN goes on to the sums
    const float d = a.max - z, e = expf(d);
    a.sum_z = a.sum == 0 ? 0.0f : e * (a.sum_z + d * a.sum);
    a.sum *= e;
    a.max = z;
  }
  const float d = z - a.max, e = expf(d);
  a.sum += e;
  a.sum_z = fmaf(e, d, a.sum_z);
}

// Called by a whole block of stats_threads(V); every thread gets the statistics, without a logprob.
__device__ __forceinline__ RowStats row_stats(const float* logits, int64_t V, float temperature) {
  Online all{-INFINITY, 0, 0};
  const bool aligned = reinterpret_cast<uintptr_t>(logits) % 16 == 0;
  for (int64_t v = int64_t(threadIdx.x) * 4; v < V; v += int64_t(blockDim.x) * 4) {
    if (aligned && V - v >= 4) {
      const float4 x = *reinterpret_cast<const float4*>(logits + v);
      take(all, x.x / temperature), take(all, x.y / temperature);
      take(all, x.z / temperature), take(all, x.w / temperature);
    } else {
      for (int64_t i = v; i < min(v + 4, V); ++i) take(all, logits[i] / temperature);
    }
  }
#pragma unroll
  for (int mask = kWarp / 2; mask > 0; mask /= 2) all = join(all, shuffle_xor(all, mask));
  all = block_combine(all, [](const Online& a, const Online& b) { return join(a, b); });
  const float log_sum = logf(all.sum);
  return {all.max, log_sum, log_sum - all.sum_z / all.sum, 0};
}

__device__ __forceinline__ float row_logprob(float logit, float temperature, const RowStats& s) {
  return (logit / temperature - s.max) - s.log_sum;
}

}  // namespace limr::cuda
