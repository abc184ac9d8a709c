// native/ops/ref/dense.h - operands as plain f64 arrays: references read everything first and round once at the end.
//
// A reference says what an op means: the equations of its contract, as loops over f64. It takes the contract's own
// structs but no Context, uses no scratch, trusts its arguments, and lets any view be F32 where the contract asks for
// BF16, so that a test can differentiate it numerically.
#pragma once
#include <vector>

#include "core/view.h"
#include "ops/matmul.h"

namespace limr::ref {

// [rows, cols], row-major. An absent view is empty. F32 and BF16 only.
std::vector<double> dense(const View& v);
// [N, K], unpacked from panels.
std::vector<double> dense(const PackedWeight& w);
// Rounds to f32 and then, for BF16, to nearest even. Does nothing to an absent view.
void store(const View& v, const std::vector<double>& values);
// v += values, one f64 addition an element.
void accumulate(const View& v, const std::vector<double>& values);
// The same into a packed [rows, cols] gradient; its padding is left alone.
void accumulate(float* packed, int64_t rows, int64_t cols, const std::vector<double>& values);

}  // namespace limr::ref
