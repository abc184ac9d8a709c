// bench/native/machine.bench.cc - the limits: arithmetic from registers, reading from memory.
#include "bench.h"
#include "engine/machine_probe.h"
#include "ops/cpu/table.h"

namespace limr::bench {
namespace {

void print(const Context& ctx, const Options& options, const char* name, const char* unit, const ProbeRate& rate) {
  Row()
      .text("bench", name)
      .text("isa", ctx.cpu->isa)
      .number("threads", ctx.pool->size(), 0)
      .number(unit, rate.best / 1e9)
      .number("median", rate.median / 1e9)
      .number("slices", rate.slices, 0)
      .print(options);
}

const bool added =
    add_bench("peak",
              "  --seconds 1        flops per second out of registers, in GFLOP/s: the best slice and the median",
              [](const Context& ctx, const Options& options) {
                print(ctx, options, "peak", "gflops", probe_flops(ctx, options.number("seconds", 1)));
              }) &&
    add_bench("bandwidth",
              "  --seconds 1 --mib N (8 x L3)   reading memory in order, in GB/s: the best pass and the median",
              [](const Context& ctx, const Options& options) {
                const int64_t mib = options.integer("mib", probe_read_bytes() >> 20);
                print(ctx, options, "bandwidth", "gbytes", probe_read(ctx, options.number("seconds", 1), mib << 20));
              });

}  // namespace
}  // namespace limr::bench
