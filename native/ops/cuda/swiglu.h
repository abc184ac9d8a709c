// native/ops/cuda/swiglu.h - what SwiGLU does between its products; see ops/matmul.h for the equations and the gate-up order.
#pragma once
#include "ops/cuda/stream.h"

namespace limr::cuda {

// out [M, F] bf16 from gate_up [M, 2F] bf16.
void swiglu_rows(Stream& s, const View& out, const View& gate_up);
// dgate_up [M, 2F] bf16, which may alias gate_up, from dh [M, F] bf16.
void swiglu_backward_rows(Stream& s, const View& dgate_up, const View& gate_up, const View& dh);

}  // namespace limr::cuda
