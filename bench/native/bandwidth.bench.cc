// bench/native/bandwidth.bench.cc - the limit of memory: reading it in order on all threads.
#include "bench.h"

namespace limr::bench {
namespace {

const bool added =
    add_bench("bandwidth", "  --seconds 1 --mib N (4 x L3, at least 256)   GB/s: the best pass, and the median",
              [](const Context& ctx, const Options& options) {
                const MachineProbe probe(ctx, options.integer("mib", 0) << 20);
                print_rate("bandwidth", "gbytes", ctx, probe.read(ctx, options.number("seconds", 1)), options);
              });

}  // namespace
}  // namespace limr::bench
