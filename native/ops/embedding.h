// native/ops/embedding.h - token embedding, gathered from the (often tied) weight, and row gather and scatter.
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

// The rows of each distinct token, so that one owner can add them up in order: run i is rows [begin[i], begin[i+1]) of `order`.
struct TokenRuns {
  const int32_t* order = nullptr;  // [N] all rows, those of one token side by side, in their order
  const int32_t* begin = nullptr;  // [count + 1]
  int64_t count = 0;
};

// dweight[tokens[n],:] += dout[n,:], in the order of n
struct EmbeddingBackward {
  float* dweight;  // packed order of [V, C]
  View dout;       // [N, C] bf16
  const int32_t* tokens;
  int64_t vocab_size;
  TokenRuns runs = {};  // needed on a device only
};
void embedding_backward(const Context&, const EmbeddingBackward&);

// out[r,:] = inp[index[r],:]      (rows of any dtype)
struct GatherRows {
  View out;              // [R, C]
  View inp;              // [N, C], same dtype
  const int32_t* index;  // [R], each in [0, N)
};
void gather_rows(const Context&, const GatherRows&);

// out[n,:] = sum over r with index[r] = n of inp[r,:], in order, in f32 with one rounding; other rows keep what they hold
struct ScatterRows {
  View out;              // [N, C] f32 or bf16
  View inp;              // [R, C], same dtype
  const int32_t* index;  // [R], each in [0, N); on a device all different
};
void scatter_rows(const Context&, const ScatterRows&);

struct EmbeddingArgs {
  bf16* out = nullptr;
  float* dweight = nullptr;
  const bf16* panels = nullptr;
  const bf16* dout = nullptr;
  const int32_t* tokens = nullptr;
  int64_t N = 0, C = 0;
};

}  // namespace limr
