#include "engine/rollout/scheduler.h"

#include <algorithm>

namespace limr {
namespace {

int64_t pages_of(int64_t tokens) { return (tokens + kPageKeys - 1) / kPageKeys; }

void add_rows(Step& step, const std::vector<int32_t>& tokens, const std::vector<int32_t>& pages, int64_t begin,
              int64_t end) {
  step.sequences.push_back({int64_t(step.tokens.size()), int32_t(end - begin), int32_t(end), pages.data()});
  for (int64_t i = begin; i < end; ++i) {
    step.tokens.push_back(tokens[size_t(i)]);
    step.positions.push_back(int32_t(i));
    step.slots.push_back(int64_t(pages[size_t(i / kPageKeys)]) * kPageKeys + i % kPageKeys);
  }
}

}  // namespace

Batch Step::batch() const {
  int64_t longest = 0;
  for (const AttentionSequence& s : sequences) longest = std::max<int64_t>(longest, s.length);
  return {int64_t(tokens.size()),    tokens.data(), positions.data(), slots.data(), sequences.data(),
          int64_t(sequences.size()), longest};
}

Scheduler::Scheduler(const GenerateRequest& request, const KvCache& cache, PagePool& pages)
    : request_(request), cache_(cache), pages_(pages), prefixes_(size_t(request.prompts.num_sequences())) {
  for (int64_t p = 0; p < request.prompts.num_sequences(); ++p) {
    const auto begin = request.prompts.tokens.begin() + request.prompts.offsets[size_t(p)];
    const auto end = request.prompts.tokens.begin() + request.prompts.offsets[size_t(p) + 1];
    prefixes_[size_t(p)].unstarted = request.samples_per_prompt;
    for (int64_t k = 0; k < request.samples_per_prompt; ++k) {
      auto s = std::make_unique<Sequence>();
      s->prompt = p, s->sample = k, s->prompt_length = end - begin;
      s->tokens.assign(begin, end);
      waiting_.push_back(std::move(s));
    }
  }
}

int64_t Scheduler::pages_to_enter(const Sequence& s) const {
  const bool shared = prefixes_[size_t(s.prompt)].computed > 0;
  return shared ? 1 + pages_of(int64_t(s.tokens.size())) - (s.prompt_length - 1) / kPageKeys
                : 1 + pages_of(int64_t(s.tokens.size()));
}

void Scheduler::admit() {
  int64_t spare = pages_.num_free();
  while (int64_t(running_.size()) < request_.max_batch && !waiting_.empty()) {
    const int64_t need = pages_to_enter(*waiting_.front());
    if (!running_.empty() && spare < need) return;
    spare -= need;
    running_.push_back(std::move(waiting_.front()));
    waiting_.pop_front();
  }
}

void Scheduler::drop_prefix(Prefix& prefix) {
  pages_.drop_all(prefix.pages);
  prefix.computed = 0;
}

void Scheduler::preempt(size_t at) {
  Sequence& s = *running_[at];
  if (!s.pages.empty()) ++preemptions_;
  pages_.drop_all(s.pages);
  s.computed = 0;
  waiting_.push_front(std::move(running_[at]));
  running_.erase(running_.begin() + std::ptrdiff_t(at));
}

// Pages for `length` tokens. Victims are prefixes of other prompts that nobody computes now, then sequences younger than `at`.
bool Scheduler::grow(std::vector<int32_t>& pages, int64_t length, int64_t prompt, size_t at) {
  const int64_t want = pages_of(length) - int64_t(pages.size());
  for (size_t p = 0; p < prefixes_.size() && pages_.num_free() < want; ++p)
    if (int64_t(p) != prompt && prefixes_[p].pending == 0) drop_prefix(prefixes_[p]);
  while (pages_.num_free() < want && running_.size() > at + 1) preempt(running_.size() - 1);
  if (pages_.num_free() < want) return false;
  for (int64_t i = 0; i < want; ++i) pages.push_back(pages_.take());
  return true;
}

bool Scheduler::take_over_prefix(Sequence& s, size_t at) {
  Prefix& prefix = prefixes_[size_t(s.prompt)];
  const int64_t length = s.prompt_length - 1, whole = length / kPageKeys;
  for (int64_t i = 0; i < whole; ++i) {
    pages_.share(prefix.pages[size_t(i)]);
    s.pages.push_back(prefix.pages[size_t(i)]);
  }
  if (length % kPageKeys != 0) {  // the rest of its last page will be written: a copy
    if (!grow(s.pages, length, s.prompt, at)) {
      pages_.drop_all(s.pages);
      return false;
    }
    cache_.copy_page(s.pages.back(), prefix.pages[size_t(whole)]);
  }
  s.computed = length;
  return true;
}

bool Scheduler::schedule(Step& step, size_t at, int64_t& budget) {
  Sequence& s = *running_[at];
  Prefix& prefix = prefixes_[size_t(s.prompt)];
  const int64_t shared = s.prompt_length - 1;
  const bool alone = prefix.unstarted == 1 && prefix.computed == 0 && prefix.pending == 0;  // nobody to share with
  if (s.computed == 0 && shared > 0 && !alone) {
    const bool ready = prefix.pending == 0 && prefix.computed == shared;
    if (!ready && !s.started) {
      const int64_t chunk = std::min(budget, shared - prefix.computed);
      if (prefix.pending > 0 || chunk == 0) return true;  // somebody else's rows compute it, or the step is full
      if (!grow(prefix.pages, prefix.computed + chunk, s.prompt, at)) return false;
      add_rows(step, s.tokens, prefix.pages, prefix.computed, prefix.computed + chunk);
      prefix.pending = chunk;
      budget -= chunk;
      step.prefill_tokens += chunk;
      return true;
    }
    if (ready && !take_over_prefix(s, at)) return false;
  }
  const int64_t length = int64_t(s.tokens.size()), left = length - s.computed;
  const int64_t rows = left == 1 ? 1 : std::min(left, budget);
  if (rows == 0) return true;
  if (!grow(s.pages, s.computed + rows, s.prompt, at)) return false;
  if (!s.started) {
    s.started = true;
    if (--prefix.unstarted == 0) drop_prefix(prefix);
  }
  add_rows(step, s.tokens, s.pages, s.computed, s.computed + rows);
  s.computed += rows;
  if (left > 1) {
    budget -= rows;
    step.prefill_tokens += rows;
  }
  if (s.computed == length) {
    step.sampled.push_back(&s);
    step.sampled_rows.push_back(int32_t(step.tokens.size()) - 1);
  }
  return true;
}

Step Scheduler::next() {
  for (Prefix& p : prefixes_) {
    p.computed += p.pending;
    p.pending = 0;
  }
  admit();
  Step step;
  int64_t budget = request_.prefill_chunk;
  for (size_t at = 0; at < running_.size();) {
    if (schedule(step, at, budget))
      ++at;
    else
      preempt(at);  // the youngest by now
  }
  LIMR_CHECK(!step.tokens.empty(), kMemory,
             cat("a KV cache of ", pages_.num_pages(), " pages of ", kPageKeys, " tokens cannot hold one sequence"),
             "Raise --kv-cache-bytes, or lower --generate-max-len.");
  return step;
}

std::unique_ptr<Sequence> Scheduler::finish(Sequence* sequence) {
  const auto it = std::find_if(running_.begin(), running_.end(), [&](const auto& s) { return s.get() == sequence; });
  LIMR_ASSERT(it != running_.end());
  auto done = std::move(*it);
  running_.erase(it);
  pages_.drop_all(done->pages);
  return done;
}

}  // namespace limr
