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
    add_bench(
        "peak", "  --seconds 1        flops per second out of registers, in GFLOP/s: the best slice and the median",
        [](const Context& ctx, const Options& options) {
          print(ctx, options, "peak", "gflops", MachineProbe(ctx, 1 << 20).flops(ctx, options.number("seconds", 1)));
        }) &&
    add_bench("bandwidth",
              "  --seconds 1 --mib N (4 x L3)   reading memory in order, in GB/s: the best pass and the median",
              [](const Context& ctx, const Options& options) {
                const MachineProbe probe(ctx, options.integer("mib", 0) << 20);
                print(ctx, options, "bandwidth", "gbytes", probe.read(ctx, options.number("seconds", 1)));
              });

}  // namespace
}  // namespace limr::bench
