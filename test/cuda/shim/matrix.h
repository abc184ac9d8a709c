// test/cuda/shim/matrix.h - requests of the warp's matrix instructions.
#pragma once
#include "block.h"

namespace limr::shim {

// mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32: pairs of bf16, the lower index in the lower half; c becomes d.
struct MmaBf16 {
  uint32_t a[4], b[2];
  float c[4];
};
extern const WarpOp kMmaBf16;

// ldmatrix.sync.aligned.m8n8.x1, .x2, .x4 [.trans]: the 16 bytes that this lane points to (of lanes below 8 * count), and
// what it gets.
struct LoadMatrix {
  int count;
  uint32_t row[4], out[4];
};
extern const WarpOp kLoadMatrix, kLoadMatrixTrans;

}  // namespace limr::shim
