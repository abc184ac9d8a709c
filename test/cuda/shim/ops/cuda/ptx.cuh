// test/cuda/shim/ops/cuda/ptx.cuh - stands in for native/ops/cuda/ptx.cuh: the same functions, emulated.
#pragma once
#include <cuda_runtime.h>

#include "matrix.h"
#include "ops/cuda/last_launch.h"

#define LIMR_LAUNCH(kernel, grid, block, shared_bytes, stream)               \
  ::limr::shim::launcher(kernel, #kernel, grid, block, size_t(shared_bytes), \
                         ::limr::cuda::noted(#kernel, grid, block, size_t(shared_bytes), stream))

#define LIMR_DYNAMIC_SHARED(type, name) type* const name = reinterpret_cast<type*>(::limr::shim::own.dynamic_shared)

namespace limr::cuda {

inline uint32_t bf16_bits(float x) {
  const uint32_t u = __float_as_uint(x);
  if ((u & 0x7fffffffu) > 0x7f800000u) return 0x7fffu;  // the device's only NaN
  return (u + 0x7fffu + ((u >> 16) & 1u)) >> 16;
}
inline uint32_t pack_bf16(float low, float high) { return bf16_bits(low) | bf16_bits(high) << 16; }
inline float exp2_approx(float x) { return exp2f(x); }

inline void mma_bf16(float (&d)[4], const uint32_t (&a)[4], const uint32_t (&b)[2],
                     const shim::Where& where = shim::Where::current()) {
  shim::MmaBf16 m{{a[0], a[1], a[2], a[3]}, {b[0], b[1]}, {d[0], d[1], d[2], d[3]}};
  shim::warp_collective(shim::kMmaBf16, ~0u, &m, where);
  for (int i = 0; i < 4; ++i) d[i] = m.c[i];
}

// The lane that names a row reads it, here, where ThreadSanitizer sees it.
template <int kCount>
void load_matrix(const shim::WarpOp& op, uint32_t (&out)[kCount], const void* row, const shim::Where& where) {
  shim::LoadMatrix m{};
  m.count = kCount;
  if (shim::lane() < 8 * kCount) {
    if (reinterpret_cast<uintptr_t>(row) % 16 != 0) shim::die("ldmatrix: the row's address is no multiple of 16");
    for (int i = 0; i < 4; ++i) m.row[i] = static_cast<const uint32_t*>(row)[i];
  }
  shim::warp_collective(op, ~0u, &m, where);
  for (int i = 0; i < kCount; ++i) out[i] = m.out[i];
}
inline void ldmatrix_x4(uint32_t (&out)[4], const void* row, const shim::Where& where = shim::Where::current()) {
  load_matrix(shim::kLoadMatrix, out, row, where);
}
inline void ldmatrix_x2(uint32_t (&out)[2], const void* row, const shim::Where& where = shim::Where::current()) {
  load_matrix(shim::kLoadMatrix, out, row, where);
}
inline void ldmatrix_x4_trans(uint32_t (&out)[4], const void* row, const shim::Where& where = shim::Where::current()) {
  load_matrix(shim::kLoadMatrixTrans, out, row, where);
}
inline void ldmatrix_x2_trans(uint32_t (&out)[2], const void* row, const shim::Where& where = shim::Where::current()) {
  load_matrix(shim::kLoadMatrixTrans, out, row, where);
}

// What a copy will write is NaN from now on: whoever still reads the old values, or the new ones too early, notices. Typed
// stores, which ThreadSanitizer sees.
inline void cp_async_16(void* to, const void* from, bool copy = true) {
  if (reinterpret_cast<uintptr_t>(to) % 16 != 0 || reinterpret_cast<uintptr_t>(from) % 16 != 0)
    shim::die("cp.async: an address is no multiple of 16");
  for (int i = 0; i < 4; ++i) static_cast<uint32_t*>(to)[i] = ~0u;
  shim::async_copy({to, from, 16, copy ? 16 : 0});
}
inline void cp_async_commit() { shim::async_commit(); }
template <int kPending>
void cp_async_wait() {
  shim::async_wait(kPending, [](const shim::AsyncCopy& c) {
    for (int i = 0; i < 4; ++i)
      static_cast<uint32_t*>(c.to)[i] = 4 * i < c.source_bytes ? static_cast<const uint32_t*>(c.from)[i] : 0;
  });
}

}  // namespace limr::cuda
