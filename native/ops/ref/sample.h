// native/ops/ref/sample.h - see ops/sample.h and ops/ref/dense.h.
#pragma once
#include "ops/sample.h"

namespace limr::ref {

// Throws nothing: a row without a token to draw gives token -1.
void sample_forward(const SampleForward& op);

}  // namespace limr::ref
