#include "ops/ref/sample.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "ops/ref/logprob.h"

namespace limr::ref {
namespace {

struct Candidate {
  int32_t id;
  double logit, p;
};

void cut(std::vector<Candidate>& from, size_t n) {
  if (n < from.size()) from.erase(from.begin() + int64_t(n), from.end());
}

bool contains(const int32_t* ids, int64_t n, int32_t id) { return std::find(ids, ids + n, id) != ids + n; }

// Allowed ids, the likeliest first, cut by top-k, top-p and min-p one after the other.
std::vector<Candidate> candidates(const SampleForward& op, const float* logits, bool forbid_eos) {
  std::vector<Candidate> all;
  for (int32_t v = 0; v < op.vocab_size; ++v) {
    if (contains(op.banned, op.num_banned, v)) continue;
    if (forbid_eos && contains(op.eos, op.num_eos, v)) continue;
    all.push_back({v, logits[v], 0});
  }
  std::stable_sort(all.begin(), all.end(), [](const auto& a, const auto& b) { return a.logit > b.logit; });
  if (op.temperature == 0) {
    cut(all, 1);
    return all;
  }
  for (Candidate& c : all) c.p = std::exp((c.logit - all[0].logit) / op.temperature);
  if (op.top_k > 0) cut(all, size_t(op.top_k));
  if (op.top_p < 1) {
    double total = 0, sum = 0;
    for (const Candidate& c : all) total += c.p;
    size_t kept = 0;
    while (kept < all.size() && (kept == 0 || sum < op.top_p * total)) sum += all[kept++].p;
    cut(all, kept);
  }
  std::erase_if(all, [&](const Candidate& c) { return c.p < op.min_p; });  // the largest p is 1 here
  return all;
}

int32_t draw(std::vector<Candidate> from, double u) {
  std::sort(from.begin(), from.end(), [](const auto& a, const auto& b) { return a.id < b.id; });
  double total = 0, sum = 0;
  for (const Candidate& c : from) total += c.p;
  for (const Candidate& c : from)
    if ((sum += c.p) > u * total) return c.id;
  return from.empty() ? -1 : from.back().id;
}

}  // namespace

void sample_forward(const SampleForward& op) {
  for (int64_t r = 0; r < op.logits.rows; ++r) {
    const float* logits = op.logits.as<float>() + r * op.logits.stride;
    const int32_t token = draw(candidates(op, logits, op.rows[r].forbid_eos), uniform(op.rows[r].key));
    op.out[r] = {token < 0 ? kNothingAllowed : token, 0};
    if (token < 0) continue;
    RowStats stats;
    logprob_forward({.stats = &stats,
                     .logits = op.logits.slice(r, r + 1),
                     .targets = &token,
                     .vocab_size = op.vocab_size,
                     .temperature = op.logprob_temperature});
    op.out[r].logprob = stats.logprob;
  }
}

}  // namespace limr::ref
