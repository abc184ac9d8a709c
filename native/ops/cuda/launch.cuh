// native/ops/cuda/launch.cuh - what every kernel file begins with: launches, sizes of grids, reductions of one fixed shape, and
// 16-byte accesses. Arithmetic is never contracted (cmake/cuda.cmake); where a fused multiply-add is meant, it says fmaf.
#pragma once
#include <algorithm>

#include "ops/cuda/ptx.cuh"
#include "ops/cuda/stream.h"

namespace limr::cuda {

constexpr int kWarp = 32;
constexpr int kMaxThreads = 1024;
constexpr int kVector = 8;  // bf16 in 16 bytes

// Threads for a row of `width`, one for each `elements`: a function of the width alone, so that the order of sums is too.
inline unsigned row_threads(int64_t width, int64_t elements, int most) {
  const int64_t threads = (width + elements * kWarp - 1) / (elements * kWarp) * kWarp;
  return unsigned(std::clamp<int64_t>(threads, kWarp, most));
}
// Blocks that give each of n items a thread; no kernel's item is beyond 2^31 blocks.
inline unsigned blocks_for(int64_t n, int64_t threads) { return unsigned((n + threads - 1) / threads); }

__device__ __forceinline__ float to_float(bf16 x) { return __uint_as_float(uint32_t(x) << 16); }
__device__ __forceinline__ bf16 to_bf16(float x) { return bf16(bf16_bits(x)); }

// A butterfly: all lanes get the same bits.
template <typename T>
__device__ __forceinline__ T warp_sum(T x) {
#pragma unroll
  for (int mask = kWarp / 2; mask > 0; mask /= 2) x += __shfl_xor_sync(~0u, x, mask);
  return x;
}
__device__ __forceinline__ float warp_max(float x) {
#pragma unroll
  for (int mask = kWarp / 2; mask > 0; mask /= 2) x = fmaxf(x, __shfl_xor_sync(~0u, x, mask));
  return x;
}

// Over all threads of a block of whole warps: the butterfly, then warps in order. Every thread gets the result. Begins and ends with a
// state where shared memory is free, so calls may follow each other.
template <typename T, typename Combine>
__device__ __forceinline__ T block_combine(T warp_value, Combine combine) {
  __shared__ T of_warp[kMaxThreads / kWarp];
  if (threadIdx.x % kWarp == 0) of_warp[threadIdx.x / kWarp] = warp_value;
  __syncthreads();
  T all = of_warp[0];
  for (unsigned w = 1; w < blockDim.x / kWarp; ++w) all = combine(all, of_warp[w]);
  __syncthreads();
  return all;
}
template <typename T>
__device__ __forceinline__ T block_sum(T x) {
  return block_combine(warp_sum(x), [](T a, T b) { return a + b; });
}
__device__ __forceinline__ float block_max(float x) {
  return block_combine(warp_max(x), [](float a, float b) { return fmaxf(a, b); });
}

// Eight neighbours of a row, those past its end 0. `aligned`: all rows begin at multiples of 16 bytes. The values, and so every sum
// over them, are the same either way.
struct Float8 {
  float x[kVector];
};
__device__ __forceinline__ Float8 load8(const bf16* p, int64_t left, bool aligned) {
  Float8 v;
  if (aligned && left >= kVector) {
    const uint4 raw = *reinterpret_cast<const uint4*>(p);
    const uint32_t pairs[4] = {raw.x, raw.y, raw.z, raw.w};
#pragma unroll
    for (int i = 0; i < 4; ++i) {
      v.x[2 * i] = __uint_as_float(pairs[i] << 16);
      v.x[2 * i + 1] = __uint_as_float(pairs[i] & 0xffff0000u);
    }
  } else {
#pragma unroll
    for (int i = 0; i < kVector; ++i) v.x[i] = i < left ? to_float(p[i]) : 0.0f;
  }
  return v;
}
__device__ __forceinline__ Float8 load8(const float* p, int64_t left, bool aligned) {
  Float8 v;
  if (aligned && left >= kVector) {
    const float4 a = *reinterpret_cast<const float4*>(p), b = *reinterpret_cast<const float4*>(p + 4);
    v = {{a.x, a.y, a.z, a.w, b.x, b.y, b.z, b.w}};
  } else {
#pragma unroll
    for (int i = 0; i < kVector; ++i) v.x[i] = i < left ? p[i] : 0.0f;
  }
  return v;
}
__device__ __forceinline__ void store8(bf16* p, const Float8& v, int64_t left, bool aligned) {
  if (aligned && left >= kVector) {
    *reinterpret_cast<uint4*>(p) = make_uint4(pack_bf16(v.x[0], v.x[1]), pack_bf16(v.x[2], v.x[3]),
                                              pack_bf16(v.x[4], v.x[5]), pack_bf16(v.x[6], v.x[7]));
  } else {
#pragma unroll
    for (int i = 0; i < kVector; ++i)
      if (i < left) p[i] = to_bf16(v.x[i]);
  }
}
__device__ __forceinline__ void store8(float* p, const Float8& v, int64_t left, bool aligned) {
  if (aligned && left >= kVector) {
    *reinterpret_cast<float4*>(p) = make_float4(v.x[0], v.x[1], v.x[2], v.x[3]);
    *reinterpret_cast<float4*>(p + 4) = make_float4(v.x[4], v.x[5], v.x[6], v.x[7]);
  } else {
#pragma unroll
    for (int i = 0; i < kVector; ++i)
      if (i < left) p[i] = v.x[i];
  }
}

// Whether rows of these elements allow 16-byte accesses.
template <typename T>
bool vector_rows(const T* data, int64_t stride) {
  return reinterpret_cast<uintptr_t>(data) % 16 == 0 && stride * int64_t(sizeof(T)) % 16 == 0;
}

}  // namespace limr::cuda
