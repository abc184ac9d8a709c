// native/engine/update/streamed.h - AdamW over state in pinned host memory: piece after piece goes to the device, is updated, comes
// back, while its neighbours are on their way. Two slots; one queue for ops, one for each direction.
#pragma once
#include <memory>

#include "core/arena.h"
#include "core/context.h"
#include "ops/adamw.h"

namespace limr {

class StreamedState {
 public:
  static constexpr int64_t kPiece = int64_t(8) << 20;  // elements; a multiple of kMomentBlock
  // Throws kUnsupported on the CPU. Slots come from the arena, as on a planner.
  StreamedState(const Context& ctx, Arena& arena, MomentFormat format);
  ~StreamedState();
  StreamedState(const StreamedState&) = delete;
  StreamedState& operator=(const StreamedState&) = delete;
  static void plan(Arena& arena, MomentFormat format);

  // Queues the update of at most kPiece elements, whose remainders and moments (not their scales) are in pinned memory.
  void update(const AdamW& op);
  // Waits until everything is back.
  void finish();

 private:
  struct Slot {
    char *remainder = nullptr, *exp_avg = nullptr, *exp_avg_sq = nullptr;
  };
  struct Queues;
  static Slot allocate(Arena& arena, MomentFormat format);

  const Context& ctx_;
  MomentFormat format_;
  Slot slots_[2];
  int64_t pieces_ = 0;
  std::unique_ptr<Queues> queues_;
};

}  // namespace limr
