#include "engine/machine_probe.h"

#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>

#include "core/arena.h"
#include "core/machine.h"
#include "ops/cpu/table.h"

namespace limr {
namespace {

constexpr double kSliceSeconds = 0.02;
constexpr int64_t kPieceBytes = int64_t(1) << 20;  // of memory a thread reads before it takes the next

using Clock = std::chrono::steady_clock;
double seconds_since(Clock::time_point t) { return std::chrono::duration<double>(Clock::now() - t).count(); }

// slice() does some work and returns its amount.
template <typename Slice>
ProbeRate sample(const Context& ctx, double seconds, Slice&& slice) {
  LIMR_CHECK(seconds > 0 && seconds <= 60, kUsage, cat("a probe of ", seconds, " seconds"), "Give it 0 to 60 seconds.");
  std::vector<double> rates;
  const auto started = Clock::now();
  do {
    ctx.throw_if_aborted();
    const auto begin = Clock::now();
    const double amount = slice();
    rates.push_back(amount / seconds_since(begin));
  } while (seconds_since(started) < seconds);
  std::sort(rates.begin(), rates.end());
  return {.best = rates.back(), .median = rates[rates.size() / 2], .slices = int(rates.size())};
}

}  // namespace

ProbeRate probe_flops(const Context& ctx, double seconds) {
  // So many steps that one thread needs a fifth of a slice: the threads then end within a few percent of each other.
  int64_t steps = 64;
  const std::vector<float> start(25 * 16, 1.0f);
  std::vector<float> state = start;
  for (;; steps *= 2) {
    const auto begin = Clock::now();
    ctx.cpu->probe_flops(steps, state.data());
    if (seconds_since(begin) > kSliceSeconds / 10) break;
  }
  return sample(ctx, seconds, [&] {
    std::atomic<int64_t> flops{0};
    const int64_t pieces = 10 * int64_t(ctx.pool->size());
    ctx.pool->parallel_for(pieces, 1, [&](int64_t begin, int64_t end) {
      std::vector<float> own = start;
      for (int64_t i = begin; i < end; ++i) flops += ctx.cpu->probe_flops(steps, own.data());
    });
    return double(flops.load());
  });
}

int64_t probe_read_bytes() {
#ifdef _SC_LEVEL3_CACHE_SIZE
  const int64_t cache = std::max<int64_t>(0, sysconf(_SC_LEVEL3_CACHE_SIZE));
#else
  const int64_t cache = 0;
#endif
  const int64_t wanted = std::max<int64_t>(int64_t(256) << 20, 8 * cache);
  return std::max(kPieceBytes, std::min(wanted, available_memory() / 8) / kPieceBytes * kPieceBytes);
}

ProbeRate probe_read(const Context& ctx, double seconds, int64_t bytes) {
  LIMR_CHECK(bytes >= kPieceBytes, kUsage, cat("a probe that reads ", bytes, " bytes"), "Give it 1 MiB or more.");
  const int64_t pieces = bytes / kPieceBytes, floats = kPieceBytes / int64_t(sizeof(float));
  const Buffer buffer(size_t(pieces * kPieceBytes));
  auto* data = buffer.as<float>();
  // Written first: pages nobody wrote are all the same page of zeros.
  ctx.pool->parallel_for(
      pieces, 1, [&](int64_t begin, int64_t end) { std::fill(data + begin * floats, data + end * floats, 1.0f); });
  std::atomic<int64_t> wrong{0};
  const auto once = [&] {
    ctx.pool->parallel_for(pieces, 1, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i)
        if (ctx.cpu->probe_read(data + i * floats, floats) != float(floats)) ++wrong;
    });
    return double(pieces * kPieceBytes);
  };
  const ProbeRate rate = sample(ctx, seconds, once);
  LIMR_ASSERT(wrong == 0);
  return rate;
}

}  // namespace limr
