// native/ops/embedding.h - token embedding, gathered from the panels of the (often tied) weight, and row gather / scatter.
#pragma once
#include "ops/matmul.h"

namespace limr {

// out[n,:] = weight[tokens[n],:]
struct EmbeddingForward {
  View out;               // [N, C] bf16
  const int32_t* tokens;  // [N], each in [0, V)
  PackedWeight weight;    // [V, C]
};
void embedding_forward(const Context&, const EmbeddingForward&);

// dweight[tokens[n],:] += dout[n,:], in the order of n
struct EmbeddingBackward {
  float* dweight;  // packed order of [V, C]
  View dout;       // [N, C] bf16
  const int32_t* tokens;
  int64_t vocab_size;
};
void embedding_backward(const Context&, const EmbeddingBackward&);

// out[r,:] = inp[index[r],:]      (rows of any dtype)
struct GatherRows {
  View out;              // [R, C]
  View inp;              // [N, C], same dtype
  const int32_t* index;  // [R], each in [0, N)
};
void gather_rows(const Context&, const GatherRows&);

struct EmbeddingArgs {
  bf16* out = nullptr;
  float* dweight = nullptr;
  const bf16* panels = nullptr;
  const bf16* dout = nullptr;
  const int32_t* tokens = nullptr;
  int64_t N = 0, C = 0;
};

}  // namespace limr
