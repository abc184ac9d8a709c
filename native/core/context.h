// native/core/context.h - where an op runs: device, threads, kernels. Passed to every op, owned by the engine.
#pragma once
#include <atomic>

#include "core/error.h"
#include "core/thread_pool.h"

namespace limr {

namespace cpu {
struct Table;  // native/ops/cpu/table.h
}

enum class Device { kCpu };

struct Context {
  Device device = Device::kCpu;
  ThreadPool* pool = nullptr;
  const cpu::Table* cpu = nullptr;
  int rank = 0;
  std::atomic<bool>* abort = nullptr;  // raised by another thread; null when nobody can
  bool check_nans = false;             // look at every op's output (LIMR_CHECK_NANS=1)

  void throw_if_aborted() const {
    LIMR_CHECK(!abort || !abort->load(std::memory_order_relaxed), kAborted, "the call was aborted");
  }
};

}  // namespace limr
