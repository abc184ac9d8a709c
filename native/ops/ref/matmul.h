// native/ops/ref/matmul.h - see ops/matmul.h and ops/ref/dense.h.
#pragma once
#include "ops/matmul.h"

namespace limr::ref {

// Rows of gate f and up f in a weight, and columns in an activation, in gate-up order.
inline int64_t gate_index(int64_t f) { return f / 16 * 32 + f % 16; }
inline int64_t up_index(int64_t f) { return gate_index(f) + 16; }

void linear_forward(const LinearForward& op);
void swiglu_forward(const SwigluForward& op);
void linear_backward_input(const LinearBackwardInput& op);
void swiglu_backward(const SwigluBackward& op);
void linear_backward_weight(const LinearBackwardWeight& op);

}  // namespace limr::ref
