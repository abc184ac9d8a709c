// native/ops/sample.h - draw the next token of every row of logits, and report its log-probability.
//   z = logits / temperature over the allowed ids; keep the top_k largest, then the smallest set of largest ones whose
//   probability reaches top_p (Holtzman et al. 2020, arXiv:1904.09751), then those with p >= min_p * max p
//   (arXiv:2407.01082); draw by inverse CDF over ids in ascending order with the counter-based uniform of the row's key.
// Ties are broken by the lower id. Temperature 0 takes the largest. The log-probability is the contract of ops/logprob.h at
// logprob_temperature, over the full vocabulary and before any of the above.
#pragma once
#include "core/context.h"
#include "core/rng.h"
#include "core/view.h"

namespace limr {

struct SampleRow {
  RngKey key;
  bool forbid_eos = false;  // fewer than min_tokens so far
};

struct Sampled {
  int32_t token;  // or kNotFinite, kNothingAllowed
  float logprob;
};
constexpr int32_t kNotFinite = -1, kNothingAllowed = -2;

struct SampleForward {
  Sampled* out;           // [R]
  View logits;            // [R, V] f32; a device may overwrite them
  const SampleRow* rows;  // [R]
  int64_t vocab_size;
  float temperature, logprob_temperature;
  int64_t top_k;          // 0 = off
  float top_p;            // 1 = off
  float min_p;            // 0 = off
  const int32_t* banned;  // ids never drawn
  int64_t num_banned;
  const int32_t* eos;  // ids not drawn where forbid_eos
  int64_t num_eos;
  void* scratch;  // sample_scratch_bytes
};
// On a device 8 KiB a row.
size_t sample_scratch_bytes(Target, int64_t rows, int64_t vocab_size);
void sample_forward(const Context&, const SampleForward&);
// What was drawn, in host memory. Throws kNumeric naming a row whose log-sum-exp is not finite, kUsage where every token is banned.
// On the CPU sample_forward does it.
void check_sampled(const Sampled* rows, int64_t count);

}  // namespace limr
