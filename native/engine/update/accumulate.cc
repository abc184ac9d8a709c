// native/engine/update/accumulate.cc - Model::accumulate: forward and backward of one micro-batch.
#include <algorithm>

#include "core/thread_pool.h"
#include "engine/head.h"
#include "ops/zero.h"

namespace limr {
namespace {

struct TrainBuffers {
  Activations acts;
  View dx;
};

TrainBuffers train_buffers(Arena& arena, const Transformer& t, int64_t tokens, int64_t pages, bool checkpointing) {
  TrainBuffers b;
  b.acts = t.allocate(arena, tokens, pages, checkpointing);
  b.dx = arena.matrix(DType::kBf16, tokens, t.config().hidden_size);
  return b;
}

UploadSize upload_size(int64_t tokens, int64_t sequences, int64_t predicted) {
  return {.tokens = tokens, .sequences = sequences, .pages = tokens / kPageKeys + sequences, .rows = predicted};
}

}  // namespace

// The head's scratch and the layers' are never alive at once.
size_t train_bytes(const Transformer& t, Head head, const TrainSize& s, bool checkpointing) {
  Arena plan = Arena::planner();
  plan.alloc(Upload::bytes(t.target(), upload_size(s.tokens, s.sequences, s.predicted)));
  train_buffers(plan, t, s.tokens, s.tokens / kPageKeys + s.sequences, checkpointing);
  const size_t mark = plan.mark();
  head_scratch(plan, t, head, s.predicted, true);
  plan.release(mark);
  t.plan_backward(plan, s.tokens, s.foreign_keys, s.longest);
  return plan.peak();
}

LossTerms Model::accumulate(const PackedTokens& packed, const Loss& loss) {
  check_trainable("accumulate");
  check_packed(packed, config_);
  check_loss(loss, packed.offsets, int64_t(packed.tokens.size()));
  LIMR_CHECK((loss.kind == Loss::kValue) == (head() == Head::kValue), kState,
             loss.kind == Loss::kValue ? "a value loss needs a value head" : "this loss needs a language-model head");
  const Context ctx = begin(kTraining);
  const FlushDenormals flush;  // on the CPU the terms of the loss are computed on this thread
  LossTerms terms;
  terms.losses.assign(packed.tokens.size(), 0.0f);
  terms.outputs.assign(packed.tokens.size(), 0.0f);
  if (head() == Head::kLm) terms.entropy.assign(packed.tokens.size(), 0.0f);
  const PackedBatch packed_batch(packed, 0, packed.num_sequences(),
                                 options_.share_prefixes ? Prefixes::kShared : Prefixes::kOwn);
  const Prediction p = predictions(packed, 0, packed_batch, loss.weights);
  if (p.rows.empty()) return terms;
  terms.computed_tokens = packed_batch.num_tokens();
  terms.computed_pairs = packed_batch.num_pairs();

  const Batch host = packed_batch.batch();
  const int64_t R = int64_t(p.rows.size());
  const TrainSize size{host.num_tokens, host.num_sequences, R, host.longest, host.foreign_keys};
  Engine::Phase phase(engine_, train_bytes(transformer_, head(), size, options_.checkpointing));
  reach(host.longest);
  Arena& arena = phase.arena();
  Upload upload(ctx, arena, upload_size(host.num_tokens, host.num_sequences, R));
  const Batch batch = upload.add(host, true);
  const PredictedRows rows = upload.add(p);
  const LossRows measured(loss, p.index);
  const LossForward given = upload.add(measured, loss.kind);
  upload.send();
  TrainBuffers b =
      train_buffers(arena, transformer_, batch.num_tokens, packed_batch.num_pages(), options_.checkpointing);
  auto* grads = train_->grads.as<float>();
  has_gradients_ = true;
  transformer_.forward(ctx, batch, b.acts);
  {
    const ArenaScope scope(arena);
    const HeadScratch s = head_scratch(arena, transformer_, head(), R, true);
    head_backward(ctx, *this, s, b.acts.x, rows, p.index, given, loss.temperature, terms, grads);
    zero(ctx, b.dx);
    scatter_rows(ctx, {.out = b.dx, .inp = s.dx, .index = rows.rows});
  }
  transformer_.backward(ctx, arena, batch, b.acts, b.dx, grads, options_.checkpointing);
  return terms;
}

}  // namespace limr
