// native/ops/cpu/isa_avx512bf16.cc - the kernels for x86-64 with AVX-512 and its bf16 dot product.
#include <immintrin.h>

#include "ops/cpu/table.h"

// GCC 12 takes the undefined source operand inside its own intrinsics for an uninitialized variable.
#pragma GCC diagnostic ignored "-Wuninitialized"
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#pragma GCC target("avx2,fma,avx512f,avx512bw,avx512dq,avx512vl,avx512bf16,prefer-vector-width=512")

namespace limr::cpu {
namespace {
namespace avx512bf16 {
#define LIMR_NATIVE_DOT2
#include "ops/cpu/simd_avx512.h"

#include "ops/cpu/kernels.simd.h"
}  // namespace avx512bf16
}  // namespace
extern const Table kAvx512Bf16 = avx512bf16::make_table("avx512bf16");
}  // namespace limr::cpu
