#include "engine/machine_probe.h"

#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <fstream>
#include <map>
#include <thread>

#include "core/machine.h"
#include "ops/cpu/table.h"

namespace limr {
namespace {

constexpr double kSliceSeconds = 0.02;
constexpr int64_t kPieceBytes = int64_t(1) << 20;  // of memory a thread reads before it takes the next
constexpr int64_t kCacheMultiple = 4;
constexpr int64_t kPieceFloats = kPieceBytes / int64_t(sizeof(float));

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

// Bytes of all last-level caches of this machine; 0 where the system does not say.
int64_t cache_bytes() {
#if defined(__linux__)
  std::map<std::string, int64_t> caches;  // by the CPUs that share one
  for (unsigned cpu = 0; cpu < std::max(1u, std::thread::hardware_concurrency()); ++cpu) {
    const std::string dir = cat("/sys/devices/system/cpu/cpu", cpu, "/cache/index3/");
    std::ifstream size(dir + "size"), shared(dir + "shared_cpu_list");
    int64_t kib = 0;
    std::string cpus;
    if (size >> kib && shared >> cpus) caches[cpus] = kib << 10;  // "32768K"
  }
  int64_t bytes = 0;
  for (const auto& [cpus, each] : caches) bytes += each;
  if (bytes > 0) return bytes;
#endif
#ifdef _SC_LEVEL3_CACHE_SIZE
  return std::max<int64_t>(0, sysconf(_SC_LEVEL3_CACHE_SIZE));
#else
  return 0;
#endif
}

int64_t default_read_bytes() {
  const int64_t wanted = std::max(int64_t(256) << 20, kCacheMultiple * cache_bytes());
  return std::max(kPieceBytes, std::min(wanted, available_memory() / 8));
}

}  // namespace

MachineProbe::MachineProbe(const Context& ctx, int64_t read_bytes) {
  const int64_t bytes = read_bytes == 0 ? default_read_bytes() : read_bytes, pieces = bytes / kPieceBytes;
  LIMR_CHECK(pieces >= 1, kUsage, cat("a probe that reads ", bytes, " bytes"), "Give it 1 MiB or more.");
  memory_ = Buffer(size_t(pieces * kPieceBytes));
  // Written first: pages that nobody wrote are all the same page of zeros.
  ctx.pool->parallel_for(pieces, 1, [&](int64_t begin, int64_t end) {
    std::fill(memory_.as<float>() + begin * kPieceFloats, memory_.as<float>() + end * kPieceFloats, 1.0f);
  });
}

ProbeRate MachineProbe::flops(const Context& ctx, double seconds) const {
  // So many steps that a thread needs a tenth of its slice: threads then end within a few percent of each other. The fastest of a few
  // tries counts, or a single interruption would leave pieces too small to measure.
  int64_t steps = 64;
  const std::vector<float> start(25 * 16, 1.0f);
  const auto fastest = [&] {
    double best = kSliceSeconds;
    for (int i = 0; i < 5; ++i) {
      std::vector<float> state = start;
      const auto begin = Clock::now();
      ctx.cpu->probe_flops(steps, state.data());
      best = std::min(best, seconds_since(begin));
    }
    return best;
  };
  while (fastest() < kSliceSeconds / 20) steps *= 2;
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

ProbeRate MachineProbe::read(const Context& ctx, double seconds) const {
  const int64_t pieces = read_bytes() / kPieceBytes;
  std::atomic<int64_t> wrong{0};
  const ProbeRate rate = sample(ctx, seconds, [&] {
    ctx.pool->parallel_for(pieces, 1, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i)
        if (ctx.cpu->probe_read(memory_.as<float>() + i * kPieceFloats, kPieceFloats) != float(kPieceFloats)) ++wrong;
    });
    return double(read_bytes());
  });
  LIMR_ASSERT(wrong == 0);
  return rate;
}

}  // namespace limr
