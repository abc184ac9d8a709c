// native/engine/machine_probe.h - what this machine can do at most, measured now: the denominators of MFU and bandwidth share.
#pragma once
#include "core/context.h"

namespace limr {

// Rates of one probe, over slices of a fiftieth of a second on all threads of the pool at once.
struct ProbeRate {
  double best = 0;    // of any slice: what the machine can do while nothing else runs on it
  double median = 0;  // of all slices: what it did while this was measured
  int slices = 0;
};

// Flops per second of products of bf16 pairs with f32 sums, out of registers, by the kernels of ctx.cpu: dot products where the
// instruction set has them, else two fused multiply-adds.
ProbeRate probe_flops(const Context& ctx, double seconds);

// Bytes per second of reading `bytes` of memory in order. Everything past the last-level cache is noise-free only when bytes is
// several times its size. Throws kMemory when the system refuses them.
ProbeRate probe_read(const Context& ctx, double seconds, int64_t bytes);

// Eight times the last-level cache, at least 256 MiB, at most an eighth of what this process may use.
int64_t probe_read_bytes();

}  // namespace limr
