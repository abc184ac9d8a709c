// native/ops/logprob.h - what the trainer and the sampler know about a row of logits, and its gradient.
//   z = logits / T     logprob(y) = z[y] - log sum_k exp(z[k])     entropy = -sum_k p[k] log p[k],   p = softmax(z)
//   dlogits[k] = (g_logprob * ([k = y] - p[k]) - g_entropy * p[k] * (log p[k] + entropy)) / T
// Sums walk the row in one 16-lane order (on a device: one tree) that depends on V alone.
#pragma once
#include "core/context.h"
#include "core/view.h"

namespace limr {

struct RowStats {
  float max;      // of z
  float log_sum;  // log sum exp(z - max)
  float entropy;
  float logprob;  // of the target, if one was given
};

struct LogprobForward {
  RowStats* stats;         // [R]
  View logits;             // [R, >= V] f32
  const int32_t* targets;  // [R], or null
  int64_t vocab_size;
  float temperature;  // > 0
};
void logprob_forward(const Context&, const LogprobForward&);

struct LogprobBackward {
  View dlogits;  // [R, round_up(V, 2)] bf16, pad column zero; must not alias
  View logits;   // [R, >= V] f32
  const RowStats* stats;
  const int32_t* targets;
  const float* dlogprob;  // [R]
  const float* dentropy;  // [R], or null
  int64_t vocab_size;
  float temperature;
};
void logprob_backward(const Context&, const LogprobBackward&);

// Of one row of logits in host memory; its logprob is not set. Runs on this thread.
RowStats row_stats(const Context&, const float* logits, int64_t vocab_size, float temperature);

inline float logprob_of(float logit, float temperature, const RowStats& s) {
  return (logit / temperature - s.max) - s.log_sum;
}

struct LogprobArgs {
  const float* logits = nullptr;
  int64_t ldl = 0;
  int64_t V = 0;
  float temperature = 0;
  float* max = nullptr;    // [R]
  float* sum = nullptr;    // [R] sum exp(z - max)
  float* sum_z = nullptr;  // [R] sum exp(z - max) * (z - max)
  bf16* dlogits = nullptr;
  int64_t ldd = 0;
  const RowStats* stats = nullptr;
  const int32_t* targets = nullptr;
  const float* dlogprob = nullptr;
  const float* dentropy = nullptr;
};

}  // namespace limr
