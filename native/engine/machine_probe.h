// native/engine/machine_probe.h - what this machine can do at most, measured now: the denominators of MFU and bandwidth share.
#pragma once
#include "core/arena.h"
#include "core/context.h"

namespace limr {

// Rates of slices of about a fiftieth of a second, on all threads of the pool at once.
struct ProbeRate {
  double best = 0;    // of any slice: what the machine can do while nothing else runs on it
  double median = 0;  // of all slices: what it did while this was measured
  int slices = 0;
};

class MachineProbe {
 public:
  // Takes and touches `read_bytes` of memory; 0 = four times the last-level caches, at least 256 MiB, at most an eighth of what this
  // process may use. Throws kUsage below 1 MiB, kMemory when the system refuses.
  explicit MachineProbe(const Context& ctx, int64_t read_bytes = 0);

  // Flops per second of products of bf16 pairs with f32 sums, out of registers, by the kernels of ctx.cpu: dot products where the
  // instruction set has them, else two fused multiply-adds.
  ProbeRate flops(const Context& ctx, double seconds) const;

  // Bytes per second of reading all of the memory in order.
  ProbeRate read(const Context& ctx, double seconds) const;

  int64_t read_bytes() const { return int64_t(memory_.bytes()); }

 private:
  Buffer memory_;
};

}  // namespace limr
