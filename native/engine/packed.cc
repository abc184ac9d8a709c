#include "engine/packed.h"

#include <algorithm>

namespace limr {
namespace {

// Pages that sequence s has in common with the one before it. Its last token is always its own: every sequence has a row.
int64_t common_pages(const PackedTokens& packed, int64_t s) {
  const auto at = [&](int64_t q) { return packed.tokens.data() + packed.offsets[size_t(q)]; };
  const int64_t most = std::min(at(s) - at(s - 1), at(s + 1) - at(s) - 1);
  return (std::mismatch(at(s), at(s) + most, at(s - 1)).first - at(s)) / kPageKeys;
}

}  // namespace

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

PackedBatch::PackedBatch(const PackedTokens& packed, int64_t first, int64_t last, Prefixes prefixes)
    : origin_(packed.offsets[size_t(first)]) {
  size_t before = 0;  // where the table of the sequence before begins, and its rows
  const int32_t* rows_before = nullptr;
  rows_.resize(size_t(packed.offsets[size_t(last)] - origin_));
  for (int64_t s = first; s < last; ++s) {
    const int64_t begin = packed.offsets[size_t(s)], length = packed.offsets[size_t(s) + 1] - begin;
    const int64_t shared = prefixes == Prefixes::kShared && s > first ? common_pages(packed, s) : 0;
    const size_t table = pages_.size();
    for (int64_t p = 0; p < (length + kPageKeys - 1) / kPageKeys; ++p)
      pages_.push_back(p < shared ? pages_[before + size_t(p)] : int32_t(num_pages_++));
    int32_t* rows = rows_.data() + (begin - origin_);
    std::copy_n(rows_before, shared * kPageKeys, rows);
    sequences_.push_back({num_tokens(), int32_t(length - shared * kPageKeys), int32_t(length), nullptr});
    for (int64_t i = shared * kPageKeys; i < length; ++i) {
      if (i % kPageKeys == 0) page_rows_.push_back(int32_t(tokens_.size()));
      rows[i] = int32_t(tokens_.size());
      tokens_.push_back(packed.tokens[size_t(begin + i)]);
      positions_.push_back(int32_t(i));
      slots_.push_back(int64_t(pages_[table + size_t(i / kPageKeys)]) * kPageKeys + i % kPageKeys);
    }
    longest_ = std::max(longest_, length);
    before = table, rows_before = rows;
  }
  const int32_t* table = pages_.data();
  for (AttentionSequence& s : sequences_) {
    s.pages = table;
    table += (s.context + kPageKeys - 1) / kPageKeys;
  }
}

int64_t PackedBatch::num_pairs() const {
  int64_t pairs = 0;
  for (const int32_t position : positions_) pairs += position + 1;
  return pairs;
}

Batch PackedBatch::batch() const {
  return {.num_tokens = num_tokens(),
          .tokens = tokens_.data(),
          .positions = positions_.data(),
          .slots = slots_.data(),
          .sequences = sequences_.data(),
          .num_sequences = int64_t(sequences_.size()),
          .longest = longest_,
          .foreign_keys = foreign_keys(),
          .page_rows = page_rows_.data()};
}

Prediction predictions(const PackedTokens& packed, int64_t first, const PackedBatch& batch,
                       std::span<const float> weights) {
  Prediction p;
  for (int64_t s = first; s < first + batch.num_sequences(); ++s)
    for (int64_t i = packed.offsets[size_t(s)] + 1; i < packed.offsets[size_t(s) + 1]; ++i) {
      if (!weights.empty() && weights[size_t(i)] == 0.0f) continue;
      p.rows.push_back(batch.row(i - 1));
      p.targets.push_back(packed.tokens[size_t(i)]);
      p.index.push_back(int32_t(i));
    }
  return p;
}

}  // namespace limr
