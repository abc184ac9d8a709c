#include "engine/update/streamed.h"

#include "ops/cuda_device.h"

namespace limr {

// Slot s: `arrived` when its state is on the device, `updated` when AdamW has run, `left` when it is back on the host.
struct StreamedState::Queues {
  explicit Queues(cuda::CudaDevice& device)
      : ops(device), in(device), out(device), arrived{device, device}, updated{device, device}, left{device, device} {}
  cuda::CudaDevice& ops;
  cuda::CopyQueue in, out;
  cuda::QueueEvent arrived[2], updated[2], left[2];
};

StreamedState::Slot StreamedState::allocate(Arena& arena, MomentFormat format) {
  const int64_t width = moment_bytes(format);
  return {arena.array<char>(kPiece * int64_t(sizeof(uint16_t))), arena.array<char>(kPiece * width),
          arena.array<char>(kPiece * width)};
}

void StreamedState::plan(Arena& arena, MomentFormat format) {
  for (int s = 0; s < 2; ++s) allocate(arena, format);
}

StreamedState::StreamedState(const Context& ctx, Arena& arena, MomentFormat format)
    : ctx_(ctx), format_(format), slots_{allocate(arena, format), allocate(arena, format)} {
  LIMR_CHECK(ctx.cuda, kUnsupported, "optimizer state is streamed to GPUs only");
  queues_ = std::make_unique<Queues>(*ctx.cuda);
}

StreamedState::~StreamedState() = default;

void StreamedState::update(const AdamW& op) {
  Queues& q = *queues_;
  const int s = int(pieces_ & 1);
  const Slot& slot = slots_[s];
  const size_t half = size_t(op.n) * sizeof(uint16_t), moment = size_t(op.n * moment_bytes(format_));
  if (pieces_ >= 2)
    q.in.wait(q.left[s]);
  else
    q.in.wait_for(q.ops, q.arrived[s]);  // what was queued before uses the workspace too
  q.in.copy_in(slot.remainder, op.remainder, half);
  q.in.copy_in(slot.exp_avg, op.exp_avg.data, moment);
  q.in.copy_in(slot.exp_avg_sq, op.exp_avg_sq.data, moment);
  q.in.record(q.arrived[s]);

  q.ops.wait(q.arrived[s]);
  AdamW on_device = op;
  on_device.remainder = reinterpret_cast<uint16_t*>(slot.remainder);
  on_device.exp_avg.data = slot.exp_avg;
  on_device.exp_avg_sq.data = slot.exp_avg_sq;
  adamw(ctx_, on_device);
  q.ops.record(q.updated[s]);

  q.out.wait(q.updated[s]);
  q.out.copy_out(op.remainder, slot.remainder, half);
  q.out.copy_out(op.exp_avg.data, slot.exp_avg, moment);
  q.out.copy_out(op.exp_avg_sq.data, slot.exp_avg_sq, moment);
  q.out.record(q.left[s]);
  ++pieces_;
}

void StreamedState::finish() {
  queues_->out.synchronize();
  ctx_.device->synchronize();
}

}  // namespace limr
