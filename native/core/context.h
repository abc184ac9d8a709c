// native/core/context.h - where an op runs: device, threads, kernels. Passed to every op, owned by the engine.
#pragma once
#include <atomic>

#include "core/device.h"
#include "core/error.h"
#include "core/thread_pool.h"

namespace limr {

namespace cpu {
struct Table;  // native/ops/cpu/table.h
}
namespace cuda {
class CudaDevice;  // native/ops/cuda_device.h
}

struct Context {
  Device* device = &cpu_device();    // whose memory the views of an op point to
  cuda::CudaDevice* cuda = nullptr;  // the same, where ops run on it; null = on the CPU
  ThreadPool* pool = nullptr;
  const cpu::Table* cpu = nullptr;
  int rank = 0;
  std::atomic<bool>* abort = nullptr;  // raised by another thread; null when nobody can
  bool check_nans = false;             // look at every op's output (LIMR_CHECK_NANS=1)

  Target target() const { return {device->kind(), pool->size()}; }
  void throw_if_aborted() const {
    LIMR_CHECK(!abort || !abort->load(std::memory_order_relaxed), kAborted, "the call was aborted");
  }
};

}  // namespace limr
