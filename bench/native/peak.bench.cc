// bench/native/peak.bench.cc - the limit of arithmetic: bf16 products out of registers on all threads.
#include "bench.h"

namespace limr::bench {
namespace {

const bool added =
    add_bench("peak", "  --seconds 1        GFLOP/s: the best slice, and the median",
              [](const Context& ctx, const Options& options) {
                const MachineProbe probe(ctx, int64_t(1) << 20);
                print_rate("peak", "gflops", ctx, probe.flops(ctx, options.number("seconds", 1)), options);
              });

}  // namespace
}  // namespace limr::bench
