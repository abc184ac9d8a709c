// native/ops/adamw.h - AdamW over flat arrays. Loshchilov & Hutter 2019, arXiv:1711.05101, as torch.optim.AdamW computes it:
//   g' = g * grad_scale     m = b1 m + (1-b1) g'     v = b2 v + (1-b2) g'^2
//   w <- w (1 - lr*decay) - lr/(1-b1^t) * m / (sqrt(v)/sqrt(1-b2^t) + eps)
// The f32 master weight u is kept as two halves: weight = bf16 of (u + 0x8000) >> 16, remainder = low 16 bits of u. The integer
// rounding is invertible, which rounding to nearest even is not: at LIMR's learning rate of 5e-7 most updates live in the remainder.
#pragma once
#include <array>

#include "core/context.h"
#include "core/view.h"

namespace limr {

inline float join_master(bf16 weight, uint16_t remainder) {
  return std::bit_cast<float>((uint32_t(weight) << 16) - ((uint32_t(remainder) & 0x8000u) << 1) + remainder);
}
inline void split_master(float master, bf16* weight, uint16_t* remainder) {
  const uint32_t u = std::bit_cast<uint32_t>(master);
  *weight = bf16((u + 0x8000u) >> 16);
  *remainder = uint16_t(u);
}

// How a device keeps m and v; the CPU has f32 only. 8 bits: dynamic codes (Dettmers et al. 2022, arXiv:2110.02861, section 2.2) of
// x / scale, the nearest entry of the codebook, the lower of two equally near; scale = the largest |x| of each 256 elements (0 = all
// zero). A v that is not 0 never gets code 0, since an update divides by it.
enum class MomentFormat : uint8_t { kF32, kBf16, kCode8 };
constexpr int64_t kMomentBlock = 256;
inline int64_t moment_bytes(MomentFormat f) { return f == MomentFormat::kF32 ? 4 : f == MomentFormat::kBf16 ? 2 : 1; }
// Ascending, largest entry 1. Signed (for m) or not (for v, entry 0 is 0).
std::array<float, 256> dynamic_codebook(bool with_sign);

struct Moment {
  void* data = nullptr;    // [n]
  float* scale = nullptr;  // [ceil(n / 256)], 8 bits only
};

struct AdamW {
  bf16* weight;         // [n]
  uint16_t* remainder;  // [n]
  Moment exp_avg, exp_avg_sq;
  MomentFormat format = MomentFormat::kF32;
  const float* codebooks = nullptr;  // [2][256]: signed, then not; 8 bits only
  const float* grad;                 // [n]
  int64_t n;
  float grad_scale;                            // what clipping multiplies gradients with
  double lr, beta1, beta2, eps, weight_decay;  // f64, as torch has them: 1 - 0.999f is off by 1.3e-5
  int64_t step;                                // t, from 1
};
void adamw(const Context&, const AdamW&);

// The sum of squares of n floats, in blocks of 16,384 summed in f32 lanes (a device: one tree) and added up in f64, in order.
struct SumSquares {
  const float* data;
  int64_t n;
  double* partial;  // [ceil(n / 16384)], on a device one more, for the total
};
constexpr int64_t sum_squares_partials(int64_t n) { return (n + 16383) / 16384 + 1; }
constexpr int64_t kSumBlock = 16384;
double sum_squares(const Context&, const SumSquares&);

struct AdamWArgs {
  bf16* weight = nullptr;
  uint16_t* remainder = nullptr;
  float *m = nullptr, *v = nullptr;
  const float* grad = nullptr;
  float grad_scale = 0, beta1 = 0, rest1 = 0, beta2 = 0, rest2 = 0;  // rest = 1 - beta
  float step_size = 0, sqrt_correction = 0, eps = 0, keep = 0;       // keep = 1 - lr*decay
};

}  // namespace limr
