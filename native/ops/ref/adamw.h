// native/ops/ref/adamw.h - see ops/adamw.h. The state is f32 as there; each step is computed in f64 and rounded once.
#pragma once
#include "ops/adamw.h"

namespace limr::ref {

void adamw(const AdamW& op);
double sum_squares(const SumSquares& op);

}  // namespace limr::ref
