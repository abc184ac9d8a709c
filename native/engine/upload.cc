#include "engine/upload.h"

#include <algorithm>
#include <cstring>
#include <numeric>

namespace limr {
namespace {
constexpr size_t kAlign = 64;
constexpr size_t kArrays = 10;  // that a pass adds at most; each may lose some bytes to alignment
}  // namespace

size_t Upload::bytes(Target target, const UploadSize& s) {
  if (target.device == DeviceKind::kCpu) return 0;
  const int64_t tokens = s.tokens * int64_t(4 * sizeof(int32_t) + sizeof(int64_t)) + int64_t(sizeof(int32_t));
  const int64_t sequences = s.sequences * int64_t(sizeof(AttentionSequence)) + s.pages * int64_t(sizeof(int32_t));
  const int64_t rows = s.rows * int64_t(2 * sizeof(int32_t) + sizeof(SampleRow));
  return size_t(tokens + sequences + rows) + kArrays * kAlign;
}

Upload::Upload(const Context& ctx, Arena& arena, const UploadSize& size)
    : ctx_(ctx), capacity_(bytes(ctx.target(), size)) {
  if (capacity_) block_ = static_cast<char*>(arena.alloc(capacity_));
}

const void* Upload::add_bytes(const void* host, size_t bytes) {
  if (!capacity_) return host;
  const size_t at = (staging_.size() + kAlign - 1) / kAlign * kAlign;
  LIMR_ASSERT(at + bytes <= capacity_);
  staging_.resize(at + bytes);
  if (bytes) std::memcpy(staging_.data() + at, host, bytes);
  return block_ + at;
}

TokenRuns Upload::add_runs(std::span<const int32_t> tokens) {
  std::vector<int32_t> order(tokens.size()), begin;
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(),
                   [&](int32_t a, int32_t b) { return tokens[size_t(a)] < tokens[size_t(b)]; });
  for (size_t i = 0; i < order.size(); ++i)
    if (i == 0 || tokens[size_t(order[i])] != tokens[size_t(order[i - 1])]) begin.push_back(int32_t(i));
  const auto count = int64_t(begin.size());
  begin.push_back(int32_t(order.size()));
  return {add(std::span<const int32_t>(order)), add(std::span<const int32_t>(begin)), count};
}

Batch Upload::add(const Batch& host, bool runs) {
  if (!capacity_) return host;
  const auto N = size_t(host.num_tokens), S = size_t(host.num_sequences);
  Batch batch = host;
  batch.tokens = add(std::span(host.tokens, N));
  batch.positions = add(std::span(host.positions, N));
  batch.slots = add(std::span(host.slots, N));
  std::vector<int32_t> pages;
  std::vector<AttentionSequence> sequences(host.sequences, host.sequences + S);
  std::vector<size_t> first(S);
  for (size_t s = 0; s < S; ++s) {
    first[s] = pages.size();
    pages.insert(pages.end(), sequences[s].pages,
                 sequences[s].pages + (sequences[s].context + kPageKeys - 1) / kPageKeys);
  }
  const int32_t* tables = add(std::span<const int32_t>(pages));
  for (size_t s = 0; s < S; ++s) sequences[s].pages = tables + first[s];
  batch.sequences = add(std::span<const AttentionSequence>(sequences));
  if (runs) batch.runs = add_runs(std::span(host.tokens, N));
  return batch;
}

PredictedRows Upload::add(const Prediction& host) {
  return {add(std::span<const int32_t>(host.rows)), add(std::span<const int32_t>(host.targets)),
          int64_t(host.rows.size())};
}

void Upload::send() {
  if (!staging_.empty()) ctx_.device->copy_in(block_, staging_.data(), staging_.size());
}

}  // namespace limr
