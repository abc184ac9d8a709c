// native/engine/rollout/generate.h - continuous batching: sequences enter and leave the batch at every decode step.
#pragma once
#include <atomic>
#include <functional>
#include <string>
#include <vector>

#include "engine/model.h"
#include "engine/rollout/sequence.h"

namespace limr {

struct GenerateRequest {
  PackedTokens prompts;
  std::span<const int32_t> rows;  // dataset row of each prompt, a word of its random key
  int64_t samples_per_prompt = 1;
  uint32_t seed = 0, purpose = 0, rollout = 0;
  float temperature = 1;  // 0 = greedy
  int64_t top_k = 0;
  float top_p = 1, min_p = 0;
  float logprob_temperature = 1;
  int64_t min_tokens = 0, max_tokens = 0;
  std::vector<int32_t> eos_token_ids, banned_token_ids;
  std::vector<std::string> stop_strings;
  int64_t max_batch = 0, prefill_chunk = 0;
  int64_t kv_cache_bytes = 0;  // 0 = enough for max_batch sequences of this request
};

struct FinishedSample {
  int64_t prompt, sample;
  std::vector<int32_t> tokens;  // generated
  std::vector<float> logprobs;
  StopReason stop_reason;
};

struct GenerateStats {
  int64_t prompt_tokens = 0, prefill_tokens = 0, generated_tokens = 0, preemptions = 0;
  int64_t decode_steps = 0;    // steps that computed more than prompts
  int64_t recorded_steps = 0;  // of them, those that ran from a recording; on a GPU
  int64_t kv_blocks = 0, peak_kv_blocks = 0;
  double prefill_seconds = 0, decode_seconds = 0, wait_seconds = 0;
};

// Where a generate stands, for other threads to look at while it runs. Each number is right at some moment of the last step.
struct SamplingCounters {
  std::atomic<int64_t> generated_tokens{0};
  std::atomic<int64_t> running{0}, waiting{0};  // sequences: in the batch, and not (yet, or again)
};

struct DrawnToken {
  int64_t prompt, sample;
  int32_t token;
};

// Calls `drawn`, if given, with the tokens of every decode step, and `deliver` for every sample as it finishes, on this thread; sampling waits while it blocks. Throws kUsage for a bad
// request, kMemory when the cache cannot hold one sequence, kAborted. `counters`, if given, begin at 0.
GenerateStats generate(Model& model, const GenerateRequest& request,
                       const std::function<void(FinishedSample&&)>& deliver,
                       const std::function<void(const std::vector<DrawnToken>&)>& drawn = {},
                       SamplingCounters* counters = nullptr);

// The workspace `generate` takes for sequences of at most `length` tokens, prompts included.
size_t generate_bytes(const Transformer&, int64_t max_batch, int64_t prefill_chunk, int64_t kv_pages, int64_t length);
// Pages that `sequences` samples of at most `length` tokens can hold at once.
int64_t pages_for(int64_t sequences, int64_t length);

}  // namespace limr
