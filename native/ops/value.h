// native/ops/value.h - the critic's head: one number a row.
//   values[n] = dot(inp[n], weight)      dinp[n,c] = dvalues[n] * weight[c]      dweight[c] += sum_n dvalues[n] * inp[n,c]
// f32 throughout (the reference recipe keeps values in bf16). The weight is a bf16 vector [1, C].
#pragma once
#include "core/context.h"
#include "core/view.h"

namespace limr {

struct ValueForward {
  float* values;  // [N]
  View inp;       // [N, C] bf16
  View weight;    // [1, C] bf16
};
struct ValueBackward {
  View dinp;             // [N, C] f32, set
  View dweight;          // [1, C] f32, +=, in the order of n; on a device sums of groups of 64 rows, added in order
  const float* dvalues;  // [N]
  View inp, weight;
  void* scratch = nullptr;  // value_backward_scratch_bytes
};
size_t value_backward_scratch_bytes(Target, int64_t rows, int64_t cols);
void value_forward(const Context&, const ValueForward&);
void value_backward(const Context&, const ValueBackward&);

struct ValueArgs {
  float* values = nullptr;
  const bf16* inp = nullptr;
  const bf16* weight = nullptr;
  float* dinp = nullptr;
  float* dweight = nullptr;
  const float* dvalues = nullptr;
  int64_t N = 0, C = 0;
};

}  // namespace limr
