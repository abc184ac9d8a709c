// native/engine/packed.h - whole sequences side by side, each with cache pages of its own: what scoring and training run on.
#pragma once
#include <cstdint>
#include <span>
#include <vector>

#include "model/transformer.h"

namespace limr {

// tokens of sequence s: [offsets[s], offsets[s+1])
struct PackedTokens {
  std::span<const int32_t> tokens;
  std::span<const int32_t> offsets;
  int64_t num_sequences() const { return int64_t(offsets.size()) - 1; }
};

// Throws kUsage: offsets that do not start at 0, fall, or end elsewhere than tokens; an empty sequence; a token id outside of the
// vocabulary; a sequence longer than max_position_embeddings. Names the sequence.
void check_packed(const PackedTokens&, const ModelConfig&);

class PackedBatch {
 public:
  // Sequences [first, last) of the tokens.
  PackedBatch(const PackedTokens& packed, int64_t first, int64_t last);
  Batch batch() const;
  int64_t num_tokens() const { return int64_t(tokens_.size()); }
  int64_t num_sequences() const { return int64_t(sequences_.size()); }
  int64_t num_pages() const { return int64_t(pages_.size()); }
  int64_t longest() const { return longest_; }

 private:
  std::vector<int32_t> tokens_, positions_, pages_;
  std::vector<int64_t> slots_;
  std::vector<AttentionSequence> sequences_;
  int64_t longest_ = 0;
};

// Rows of hidden states that predict a token: token i of the batch is predicted by row i - 1.
struct Prediction {
  std::vector<int32_t> rows;     // [R] into the batch
  std::vector<int32_t> targets;  // [R] token ids
  std::vector<int32_t> index;    // [R] into the caller's tokens
};
// Of sequences [first, last): all tokens but first ones, or only those whose weight is not 0.
Prediction predictions(const PackedTokens& packed, int64_t first, int64_t last, std::span<const float> weights);

}  // namespace limr
