// native/engine/head.h - from hidden states to log-probs, values and losses, a few rows of logits at a time.
#pragma once
#include "engine/model.h"
#include "ops/logprob.h"

namespace limr {

// Buffers of one pass over R predicted rows, `chunk` of them at a time.
struct HeadScratch {
  View x;           // [R, C] gathered hidden states
  View norm;        // [R, C] after the final norm
  View rstd;        // [1, R] f32
  View logits;      // [chunk, V] f32; absent for a value head
  View dlogits;     // [chunk, even V] bf16; training only
  RowStats* stats;  // [chunk]
  float* outputs;   // [R] log-probs or values
  float* entropy;   // [R]; absent for a value head
  float* d_output;  // [R]; training only
  float* d_entropy;
  View dnorm;    // [R, C] f32; training only
  View dx;       // [R, C] bf16; training only
  void* matmul;  // scratch of the head's backward
  void* reduce;
};

HeadScratch head_scratch(Arena& arena, const ModelConfig& config, Head head, int64_t rows, bool training);

// Fills outputs (and entropy) from x [N, C] of the last layer.
void head_forward(const Context&, const Model&, const HeadScratch&, View x, const Prediction&, float temperature);
// The same, with the loss of each row weighted, and its gradient in dx [R, C]; head and final norm accumulate into grads.
void head_backward(const Context&, const Model&, const HeadScratch&, View x, const Prediction&, const Loss&, LossTerms&,
                   float* grads);

}  // namespace limr
