// native/engine/packed.h - whole sequences side by side in cache pages: what scoring and training run on.
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

// Sequences that begin alike have alike keys, values and outputs there, to the bit: kShared computes each page that a sequence has
// in common with the one before it once, and its gradients are sums over the sequences.
enum class Prefixes { kOwn, kShared };

class PackedBatch {
 public:
  // Sequences [first, last) of the tokens.
  PackedBatch(const PackedTokens& packed, int64_t first, int64_t last, Prefixes prefixes = Prefixes::kOwn);
  Batch batch() const;
  int64_t num_tokens() const { return int64_t(tokens_.size()); }  // that are computed
  int64_t num_sequences() const { return int64_t(sequences_.size()); }
  int64_t num_pages() const { return num_pages_; }
  int64_t foreign_keys() const { return int64_t(rows_.size() - tokens_.size()); }
  int64_t longest() const { return longest_; }
  // Pairs of a token that is computed and one that it looks at, itself included.
  int64_t num_pairs() const;
  // The row that computes token i of the caller's, which is one of these sequences'.
  int32_t row(int64_t i) const { return rows_[size_t(i - origin_)]; }

 private:
  std::vector<int32_t> tokens_, positions_, rows_, pages_, page_rows_;
  std::vector<int64_t> slots_;
  std::vector<AttentionSequence> sequences_;
  int64_t origin_ = 0, num_pages_ = 0, longest_ = 0;
};

// Rows of hidden states that predict a token: the row of the token before it.
struct Prediction {
  std::vector<int32_t> rows;     // [R] into the batch
  std::vector<int32_t> targets;  // [R] token ids
  std::vector<int32_t> index;    // [R] into the caller's tokens
};
// Of the sequences from `first` on that the batch has: all tokens but first ones, or only those whose weight is not 0.
Prediction predictions(const PackedTokens& packed, int64_t first, const PackedBatch& batch,
                       std::span<const float> weights);

}  // namespace limr
