// native/ops/rmsnorm.h - RMSNorm over the last axis. Zhang & Sennrich 2019, arXiv:1910.07467, eq. 4.
//   rstd[n] = (mean_c inp[n,c]^2 + eps)^-1/2           out[n,c] = inp[n,c] * rstd[n] * weight[c]
//   g = dout * weight     dinp[n,c] = dresidual[n,c] + rstd[n]*g[n,c] - inp[n,c] * rstd[n]^3 * dot(g[n], inp[n]) / C
//   dweight[c] += sum_n dout[n,c]*inp[n,c]*rstd[n]     (parameters accumulate, activations are set)
// N = B*T tokens, C = hidden_size. Sums are f32 in a fixed 16-lane order, so all CPU ISAs agree to the bit.
#pragma once
#include "core/context.h"
#include "core/view.h"

namespace limr {

struct RmsNormForward {
  View out;     // [N, C] bf16
  View rstd;    // [1, N] f32, read by backward; absent when only generating
  View inp;     // [N, C] bf16
  View weight;  // [1, C] bf16
  float eps;    // rms_norm_eps in config.json
};
struct RmsNormBackward {
  View dinp;       // [N, C] bf16, set; may alias dresidual
  View dweight;    // [1, C] f32, +=; sums of groups of 64 rows, added in order
  View dout;       // [N, C] f32
  View dresidual;  // [N, C] bf16, the gradient that flows around the norm; absent = 0
  View inp, weight, rstd;
  void* scratch;  // rmsnorm_backward_scratch_bytes
};
void rmsnorm_forward(const Context&, const RmsNormForward&);
size_t rmsnorm_backward_scratch_bytes(int64_t rows, int64_t cols);
void rmsnorm_backward(const Context&, const RmsNormBackward&);

constexpr int64_t kNormRowGroup = 64;

struct RmsNormArgs {
  bf16* out = nullptr;
  float* rstd = nullptr;
  const bf16* inp = nullptr;
  const bf16* weight = nullptr;
  float eps = 0;
  int64_t ldo = 0;  // row stride of out
  int64_t N = 0, C = 0;
  bf16* dinp = nullptr;
  float* partial = nullptr;  // [groups, C]
  const float* dout = nullptr;
  const bf16* dresidual = nullptr;
};

}  // namespace limr
