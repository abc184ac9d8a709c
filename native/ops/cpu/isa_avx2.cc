// native/ops/cpu/isa_avx2.cc - the kernels for x86-64 with AVX2 and FMA.
#include <immintrin.h>

#include "ops/cpu/table.h"

#pragma GCC target("avx2,fma")

namespace limr::cpu {
namespace {
namespace avx2 {
#include "ops/cpu/simd_avx2.h"

#include "ops/cpu/kernels.simd.h"
}  // namespace avx2
}  // namespace
extern const Table kAvx2 = avx2::make_table("avx2");
}  // namespace limr::cpu
