// native/io/convert.h - element types of files to those of the engine, n elements at a time.
//
// Exact where the target can hold the value; F32 and F16 to bf16 round to nearest, ties to even. NaN stays NaN.
#pragma once
#include <cstdint>

#include "core/dtype.h"

namespace limr {

// `inp` holds n elements of `from`, aligned to its size: F32, F16 or BF16, another is kInternal. No aliasing with `out`.
void convert_to_f32(const void* inp, DType from, float* out, int64_t n);
void convert_to_bf16(const void* inp, DType from, bf16* out, int64_t n);

}  // namespace limr
