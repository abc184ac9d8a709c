// native/engine/head.h - from hidden states to log-probs, values and losses, a few rows of logits at a time.
#pragma once
#include "engine/model.h"
#include "engine/upload.h"
#include "ops/logprob.h"

namespace limr {

// Buffers of one pass over R predicted rows, `chunk` of them at a time; where the model is.
struct HeadScratch {
  View x;           // [R, C] gathered hidden states
  View norm;        // [R, C] after the final norm
  View rstd;        // [1, R] f32
  View logits;      // [chunk, V] f32; absent for a value head
  View dlogits;     // [chunk, even V] bf16; training only
  RowStats* stats;  // [R]; absent for a value head
  float* values;    // [R]; absent for a language-model head
  float* losses;    // [R] weighted; training only
  float* d_output;  // [R] of log-probs or values; training only
  float* d_entropy;
  View dnorm;    // [R, C] f32; training only
  View dx;       // [R, C] bf16; training only
  void* matmul;  // scratch of the head's backward
  void* reduce;
};

HeadScratch head_scratch(Arena& arena, const Transformer& transformer, Head head, int64_t rows, bool training);

// Of R rows, in host memory.
struct HeadOutputs {
  std::vector<float> outputs;  // log-probs or values
  std::vector<float> entropy;  // empty for a value head
};

// From x [N, C] of the last layer.
HeadOutputs head_forward(const Context&, const Model&, const HeadScratch&, View x, const PredictedRows&,
                         float temperature);
// The loss of each row, weighted, and its gradient in dx [R, C]; head and final norm accumulate into grads. `given` has the arrays that
// the loss is measured against, where the model is; `index` are the rows' places in the caller's tokens.
void head_backward(const Context&, const Model&, const HeadScratch&, View x, const PredictedRows&,
                   std::span<const int32_t> index, const LossForward& given, float temperature, LossTerms&,
                   float* grads);

}  // namespace limr
