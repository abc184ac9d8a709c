// native/ops/cpu/isa_avx512.cc - the kernels for x86-64 with AVX-512 F, BW, DQ, VL.
#include <immintrin.h>

#include "ops/cpu/table.h"

// GCC 12 takes the undefined source operand inside its own intrinsics for an uninitialized variable.
#pragma GCC diagnostic ignored "-Wuninitialized"
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#pragma GCC target("avx2,fma,avx512f,avx512bw,avx512dq,avx512vl,prefer-vector-width=512")

namespace limr::cpu {
namespace {
namespace avx512 {
#include "ops/cpu/simd_avx512.h"

#include "ops/cpu/kernels.simd.h"
}  // namespace avx512
}  // namespace
extern const Table kAvx512 = avx512::make_table("avx512");
}  // namespace limr::cpu
