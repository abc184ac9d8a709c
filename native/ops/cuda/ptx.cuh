// native/ops/cuda/ptx.cuh - what no other compiler than nvcc can parse: launches and single instructions. sm_80 and newer. The host shim
// has a file of its own with this name (test/cuda/shim).
#pragma once
#include <cuda_runtime.h>

#include <cstdint>

#include "ops/cuda/last_launch.h"

// LIMR_LAUNCH(kernel, grid, block, dynamic shared bytes, stream)(arguments...); a template in parentheses: (kernel<64>).
#define LIMR_LAUNCH(kernel, grid, block, shared_bytes, stream) \
  kernel<<<grid, block, shared_bytes, ::limr::cuda::noted(#kernel, grid, block, shared_bytes, stream)>>>

// In a kernel: its dynamic shared memory, 128-byte aligned. One name a translation unit, whatever the type.
#define LIMR_DYNAMIC_SHARED(type, name)                                 \
  extern __shared__ __align__(128) unsigned char limr_dynamic_shared[]; \
  type* const name = reinterpret_cast<type*>(limr_dynamic_shared)

namespace limr::cuda {

// Rounded to nearest even, two at once; the lower half is the lower index.
__device__ __forceinline__ uint32_t pack_bf16(float low, float high) {
  uint32_t out;
  asm("cvt.rn.bf16x2.f32 %0, %1, %2;" : "=r"(out) : "f"(high), "f"(low));
  return out;
}
__device__ __forceinline__ uint32_t bf16_bits(float x) {
  uint16_t out;
  asm("cvt.rn.bf16.f32 %0, %1;" : "=h"(out) : "f"(x));
  return out;
}
// 2^x to 2 ulp; denormals are zero.
__device__ __forceinline__ float exp2_approx(float x) {
  float out;
  asm("ex2.approx.ftz.f32 %0, %1;" : "=f"(out) : "f"(x));
  return out;
}

// d[16,8] += a[16,16] b[16,8] of a warp, f32 sums of bf16 products. Lane l, g = l / 4, t = l % 4, pairs with the lower index in
// the lower half: a = rows g, g+8 of columns 2t.., then of 2t+8..; b = rows 2t.., 2t+8.. of column g; d = row g, then g+8,
// columns 2t, 2t+1.
__device__ __forceinline__ void mma_bf16(float (&d)[4], const uint32_t (&a)[4], const uint32_t (&b)[2]) {
  asm volatile(
      "mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, {%0, %1, %2, "
      "%3};"
      : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3])
      : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
}

// Matrices of 8 x 8 bf16 from shared memory: lane 8i + r names the 16 bytes of row r of matrix i; out[i] of lane l is elements
// 2(l%4), 2(l%4)+1 of row l/4, of the transpose with _trans.
__device__ __forceinline__ uint32_t shared_address(const void* p) { return uint32_t(__cvta_generic_to_shared(p)); }
__device__ __forceinline__ void ldmatrix_x4(uint32_t (&out)[4], const void* row) {
  asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0, %1, %2, %3}, [%4];"
               : "=r"(out[0]), "=r"(out[1]), "=r"(out[2]), "=r"(out[3])
               : "r"(shared_address(row))
               : "memory");
}
__device__ __forceinline__ void ldmatrix_x2(uint32_t (&out)[2], const void* row) {
  asm volatile("ldmatrix.sync.aligned.m8n8.x2.shared.b16 {%0, %1}, [%2];"
               : "=r"(out[0]), "=r"(out[1])
               : "r"(shared_address(row))
               : "memory");
}
__device__ __forceinline__ void ldmatrix_x4_trans(uint32_t (&out)[4], const void* row) {
  asm volatile("ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {%0, %1, %2, %3}, [%4];"
               : "=r"(out[0]), "=r"(out[1]), "=r"(out[2]), "=r"(out[3])
               : "r"(shared_address(row))
               : "memory");
}
__device__ __forceinline__ void ldmatrix_x2_trans(uint32_t (&out)[2], const void* row) {
  asm volatile("ldmatrix.sync.aligned.m8n8.x2.trans.shared.b16 {%0, %1}, [%2];"
               : "=r"(out[0]), "=r"(out[1])
               : "r"(shared_address(row))
               : "memory");
}

// 16 bytes from global to shared memory, or 16 zero bytes where copy is false (from is not read). They have arrived for this thread
// after cp_async_wait<n>, with n groups still under way; for others after a barrier behind that.
__device__ __forceinline__ void cp_async_16(void* to, const void* from, bool copy = true) {
  asm volatile("cp.async.cg.shared.global [%0], [%1], 16, %2;" ::"r"(shared_address(to)), "l"(from), "r"(copy ? 16 : 0)
               : "memory");
}
__device__ __forceinline__ void cp_async_commit() { asm volatile("cp.async.commit_group;" ::: "memory"); }
template <int kPending>
__device__ __forceinline__ void cp_async_wait() {
  asm volatile("cp.async.wait_group %0;" ::"n"(kPending) : "memory");
}

}  // namespace limr::cuda
