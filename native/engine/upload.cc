#include "engine/upload.h"

#include <algorithm>
#include <cstring>
#include <numeric>

namespace limr {
namespace {
constexpr size_t kAlign = 64;
constexpr size_t kArrays = 15;  // that a pass adds at most; each may lose some bytes to alignment
size_t aligned(size_t bytes) { return (bytes + kAlign - 1) / kAlign * kAlign; }
}  // namespace

size_t Upload::bytes(Target target, const UploadSize& s) {
  if (target.device == DeviceKind::kCpu) return 0;
  const int64_t tokens = s.tokens * int64_t(4 * sizeof(int32_t) + sizeof(int64_t)) + int64_t(sizeof(int32_t));
  const int64_t sequences = s.sequences * int64_t(sizeof(AttentionSequence)) + s.pages * int64_t(sizeof(int32_t));
  constexpr size_t of_row =
      std::max(sizeof(SampleRow), LossRows::kMostArrays * sizeof(float));  // sampled, or trained on
  const int64_t rows = s.rows * int64_t(2 * sizeof(int32_t) + of_row);
  return size_t(tokens + sequences + rows) + kArrays * kAlign;
}

Upload::Upload(const Context& ctx, Arena& arena, const UploadSize& size)
    : ctx_(ctx), capacity_(bytes(ctx.target(), size)) {
  if (capacity_) block_ = static_cast<char*>(arena.alloc(capacity_));
}

const void* Upload::add_bytes(const void* host, size_t bytes) {
  if (!capacity_) return host;
  const size_t at = aligned(staging_.size());
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
  // The tables come last, being as long as they happen to be.
  const size_t at = aligned(aligned(staging_.size()) + S * sizeof(AttentionSequence));
  const auto* tables = reinterpret_cast<const int32_t*>(block_ + at);
  for (size_t s = 0; s < S; ++s) sequences[s].pages = tables + first[s];
  batch.sequences = add(std::span<const AttentionSequence>(sequences));
  LIMR_ASSERT(add(std::span<const int32_t>(pages)) == tables);
  if (runs) batch.runs = add_runs(std::span(host.tokens, N));
  return batch;
}

PredictedRows Upload::add(const Prediction& host) {
  return {add(std::span<const int32_t>(host.rows)), add(std::span<const int32_t>(host.targets)),
          int64_t(host.rows.size())};
}

LossForward Upload::add(const LossRows& host, LossKind kind) {
  const auto array = [&](const std::vector<float>& rows) {
    return rows.empty() ? nullptr : add(std::span<const float>(rows));
  };
  LossForward loss{};
  loss.kind = kind;
  loss.coefficients = host.coefficients;
  loss.rows = int64_t(host.weights.size());
  loss.weights = array(host.weights);
  loss.advantages = array(host.advantages), loss.old_logprobs = array(host.old_logprobs);
  loss.ref_logprobs = array(host.ref_logprobs);
  loss.old_values = array(host.old_values), loss.returns = array(host.returns);
  return loss;
}

void Upload::send() {
  if (!staging_.empty()) ctx_.device->copy_in(block_, staging_.data(), staging_.size());
}

}  // namespace limr
