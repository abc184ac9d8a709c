// native/engine/rollout/scheduler.h - which tokens the next step computes, and on which pages.
//
// Waiting sequences enter in order while the batch has room; a prompt's prefix is computed once, in chunks, beside the decoding
// of others. When pages run out, first prefixes that nobody decodes from are given up, then the youngest sequence is preempted: it
// loses its pages, waits in front, and recomputes them later, to the same bits.
#pragma once
#include <deque>
#include <memory>

#include "engine/rollout/generate.h"
#include "engine/rollout/kv_cache.h"

namespace limr {

// One step's work, packed as a Batch.
struct Step {
  std::vector<int32_t> tokens, positions;
  std::vector<int64_t> slots;
  std::vector<AttentionSequence> sequences;
  std::vector<Sequence*> sampled;     // those whose last token is in this step
  std::vector<int32_t> sampled_rows;  // and its row
  int64_t prefill_tokens = 0;
  Batch batch() const;
};

class Scheduler {
 public:
  Scheduler(const GenerateRequest& request, const KvCache& cache, PagePool& pages);

  bool done() const { return waiting_.empty() && running_.empty(); }
  // Never empty while not done.
  Step next();
  // A sequence that was in `sampled` has ended.
  std::unique_ptr<Sequence> finish(Sequence* sequence);
  int64_t preemptions() const { return preemptions_; }
  int64_t num_running() const { return int64_t(running_.size()); }
  int64_t num_waiting() const { return int64_t(waiting_.size()); }

 private:
  void admit();
  // Each returns false when there are not enough pages, after preempting what may be: running_[at] then waits.
  bool schedule(Step& step, size_t at, int64_t& budget);
  bool take_over_prefix(Sequence& s, size_t at);
  bool grow(std::vector<int32_t>& pages, int64_t length, int64_t prompt, size_t at);
  void preempt(size_t at);
  void drop_prefix(Prefix& prefix);
  int64_t pages_to_enter(const Sequence& s) const;

  const GenerateRequest& request_;
  const KvCache& cache_;
  PagePool& pages_;
  std::vector<Prefix> prefixes_;                    // of each prompt
  std::deque<std::unique_ptr<Sequence>> waiting_;   // front enters first
  std::vector<std::unique_ptr<Sequence>> running_;  // by age
  int64_t preemptions_ = 0;
};

}  // namespace limr
