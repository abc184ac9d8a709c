#include "engine/packed.h"

#include <algorithm>

namespace limr {

void check_packed(const PackedTokens& p, const ModelConfig& config) {
  LIMR_CHECK(!p.offsets.empty() && p.offsets.front() == 0 && p.offsets.back() == int32_t(p.tokens.size()), kUsage,
             cat("offsets must run from 0 to the number of tokens, ", p.tokens.size()));
  for (int64_t s = 0; s < p.num_sequences(); ++s) {
    const int64_t begin = p.offsets[size_t(s)], end = p.offsets[size_t(s) + 1];
    LIMR_CHECK(end > begin, kUsage, cat("sequence ", s, " is empty"), "Every sequence needs at least one token.");
    LIMR_CHECK(end - begin <= config.max_position_embeddings, kUsage,
               cat("sequence ", s, " has ", end - begin, " tokens, the model allows ", config.max_position_embeddings),
               "Shorten the prompt or --generate-max-len, or use a model with a longer context.");
    for (int64_t i = begin; i < end; ++i) {
      const int32_t token = p.tokens[size_t(i)];
      LIMR_CHECK(
          token >= 0 && token < config.vocab_size, kUsage,
          cat("token ", i - begin, " of sequence ", s, " is ", token, ", the vocabulary has ", config.vocab_size),
          "Check that the tokenizer belongs to this model.");
    }
  }
}

PackedBatch::PackedBatch(const PackedTokens& packed, int64_t first, int64_t last) {
  int64_t pages = 0;
  for (int64_t s = first; s < last; ++s) {
    const int64_t begin = packed.offsets[size_t(s)], length = packed.offsets[size_t(s) + 1] - begin;
    const int64_t row = int64_t(tokens_.size());
    for (int64_t i = 0; i < length; ++i) {
      tokens_.push_back(packed.tokens[size_t(begin + i)]);
      positions_.push_back(int32_t(i));
      slots_.push_back(pages * kPageKeys + i);
    }
    sequences_.push_back({row, int32_t(length), int32_t(length), nullptr});
    longest_ = std::max(longest_, length);
    pages += (length + kPageKeys - 1) / kPageKeys;
  }
  pages_.resize(size_t(pages));
  for (int64_t p = 0; p < pages; ++p) pages_[size_t(p)] = int32_t(p);
  int64_t at = 0;
  for (AttentionSequence& s : sequences_) {
    s.pages = pages_.data() + at;
    at += (s.length + kPageKeys - 1) / kPageKeys;
  }
}

Batch PackedBatch::batch() const {
  return {num_tokens(), tokens_.data(), positions_.data(), slots_.data(), sequences_.data(), int64_t(sequences_.size()),
          longest_};
}

Prediction predictions(const PackedTokens& packed, int64_t first, int64_t last, std::span<const float> weights) {
  Prediction p;
  const int64_t origin = packed.offsets[size_t(first)];
  for (int64_t s = first; s < last; ++s)
    for (int64_t i = packed.offsets[size_t(s)] + 1; i < packed.offsets[size_t(s) + 1]; ++i) {
      if (!weights.empty() && weights[size_t(i)] == 0.0f) continue;
      p.rows.push_back(int32_t(i - 1 - origin));
      p.targets.push_back(packed.tokens[size_t(i)]);
      p.index.push_back(int32_t(i));
    }
  return p;
}

}  // namespace limr
