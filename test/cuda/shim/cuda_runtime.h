// test/cuda/shim/cuda_runtime.h - stands in for CUDA's header of this name, so that g++ compiles native/ops/cuda/*.cu: the built-in
// variables and functions that our kernels use, and the runtime that our launchers call, where device memory is host memory.
#pragma once
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <type_traits>

#include "block.h"
#include "runtime.h"

#define __CUDA_ARCH_LIST__ host
#define __global__
#define __device__
#define __host__
#define __forceinline__ inline __attribute__((always_inline))
#define __launch_bounds__(...)
#define __grid_constant__
#define __align__(n) __attribute__((aligned(n)))
#if defined(__SANITIZE_ADDRESS__)  // see kSharedIsThreadLocal
#define __shared__ static
#else
#define __shared__ static thread_local
#endif

#define threadIdx (::limr::shim::own.thread_index)
#define blockIdx (::limr::shim::own.block_index)
#define blockDim (::limr::shim::own.block_dim)
#define gridDim (::limr::shim::own.grid_dim)
inline constexpr int warpSize = 32;
using std::isfinite;

using dim3 = limr::shim::Dim;

// Vectors, aligned as on the device: a 16-byte load of an address that is no multiple of 16 is an error there, and shows under
// UndefinedBehaviorSanitizer here.
#define LIMR_SHIM_VECTOR(type, name, align2, align4)               \
  struct __align__(align2) name##2 { type x, y; };                 \
  struct __align__(align4) name##4 { type x, y, z, w; };           \
  inline name##2 make_##name##2(type x, type y) { return {x, y}; } \
  inline name##4 make_##name##4(type x, type y, type z, type w) { return {x, y, z, w}; }
LIMR_SHIM_VECTOR(float, float, 8, 16)
LIMR_SHIM_VECTOR(int, int, 8, 16)
LIMR_SHIM_VECTOR(unsigned, uint, 8, 16)
LIMR_SHIM_VECTOR(unsigned short, ushort, 4, 8)
#undef LIMR_SHIM_VECTOR
struct __align__(16) double2 { double x, y; };
inline double2 make_double2(double x, double y) { return {x, y}; }

inline float __uint_as_float(unsigned x) { return std::bit_cast<float>(x); }
inline unsigned __float_as_uint(float x) { return std::bit_cast<unsigned>(x); }
inline float __int_as_float(int x) { return std::bit_cast<float>(x); }
inline int __float_as_int(float x) { return std::bit_cast<int>(x); }
inline int __popc(unsigned x) { return std::popcount(x); }
inline int __clz(int x) { return std::countl_zero(unsigned(x)); }
inline int __ffs(int x) { return x ? std::countr_zero(unsigned(x)) + 1 : 0; }
inline unsigned __umulhi(unsigned a, unsigned b) { return unsigned((uint64_t(a) * b) >> 32); }
inline float __fadd_rn(float a, float b) { return a + b; }
inline float __fmul_rn(float a, float b) { return a * b; }
inline float __fmaf_rn(float a, float b, float c) { return fmaf(a, b, c); }
inline float __fdiv_rn(float a, float b) { return a / b; }
inline float __fsqrt_rn(float x) { return sqrtf(x); }
inline float rsqrtf(float x) { return float(1 / std::sqrt(double(x))); }
inline float __expf(float x) { return expf(x); }
inline float __logf(float x) { return logf(x); }
inline float __fdividef(float a, float b) { return a / b; }
template <typename T>
T __ldg(const T* p) {
  return *p;
}
template <typename T>
T __ldcs(const T* p) {
  return *p;
}
template <typename T>
void __stcs(T* p, T x) {
  *p = x;
}
template <typename A, typename B>
constexpr std::common_type_t<A, B> min(A a, B b) {
  return std::common_type_t<A, B>(b) < std::common_type_t<A, B>(a) ? b : a;
}
template <typename A, typename B>
constexpr std::common_type_t<A, B> max(A a, B b) {
  return std::common_type_t<A, B>(a) < std::common_type_t<A, B>(b) ? b : a;
}

inline void __syncthreads(const limr::shim::Where& where = limr::shim::Where::current()) {
  limr::shim::barrier(false, where);
}
inline int __syncthreads_count(int predicate, const limr::shim::Where& where = limr::shim::Where::current()) {
  return limr::shim::barrier(predicate != 0, where);
}
inline int __syncthreads_or(int predicate, const limr::shim::Where& where = limr::shim::Where::current()) {
  return limr::shim::barrier(predicate != 0, where) > 0;
}
inline int __syncthreads_and(int predicate, const limr::shim::Where& where = limr::shim::Where::current()) {
  return limr::shim::barrier(predicate == 0, where) == 0;
}
inline void __threadfence() {}
inline void __threadfence_block() {}

// Atomic, relaxed: they order nothing else.
template <typename T>
T atomicAdd(T* p, std::type_identity_t<T> x) {
  static_assert(std::is_integral_v<T>,
                "sums of floats in an order that changes from run to run are not for this project");
  return __atomic_fetch_add(p, x, __ATOMIC_RELAXED);
}
template <typename T>
T atomicOr(T* p, std::type_identity_t<T> x) {
  return __atomic_fetch_or(p, x, __ATOMIC_RELAXED);
}
template <typename T>
T atomicExch(T* p, std::type_identity_t<T> x) {
  return __atomic_exchange_n(p, x, __ATOMIC_RELAXED);
}
template <typename T>
T atomicCAS(T* p, std::type_identity_t<T> expected, std::type_identity_t<T> desired) {
  __atomic_compare_exchange_n(p, &expected, desired, false, __ATOMIC_RELAXED, __ATOMIC_RELAXED);
  return expected;
}
template <typename T>
T atomicMax(T* p, std::type_identity_t<T> x) {
  T old = __atomic_load_n(p, __ATOMIC_RELAXED);
  while (old < x && !__atomic_compare_exchange_n(p, &old, x, true, __ATOMIC_RELAXED, __ATOMIC_RELAXED)) {
  }
  return old;
}
template <typename T>
T atomicMin(T* p, std::type_identity_t<T> x) {
  T old = __atomic_load_n(p, __ATOMIC_RELAXED);
  while (x < old && !__atomic_compare_exchange_n(p, &old, x, true, __ATOMIC_RELAXED, __ATOMIC_RELAXED)) {
  }
  return old;
}

#include "warp.h"
