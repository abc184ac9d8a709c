#include "fixture.h"

#include <dlfcn.h>

#include <cstdlib>

namespace limr::test {
namespace {

using SetSchedule = void (*)(const char*);

SetSchedule shim_schedule() {
  static const SetSchedule found = [] {
    gpu();
    void* module = dlopen(module_file().c_str(), RTLD_NOW | RTLD_NOLOAD);
    return reinterpret_cast<SetSchedule>(dlsym(module, "cuda_shim_schedule"));
  }();
  return found;
}

}  // namespace

std::string module_file() {
  const char* file = std::getenv("LIMR_CUDA_MODULE");
  return file && *file ? file : LIMR_CUDA_SHIM_MODULE;
}

const Context& gpu() {
  static ThreadPool pool(1);
  const char* sync = std::getenv("LIMR_SYNC");
  static cuda::CudaDevice device(
      {.module = module_file(), .device = 0, .cublaslt = {}, .sync = sync && std::string_view(sync) == "1"});
  static const Context ctx{.device = &device, .cuda = &device, .pool = &pool, .cpu = setups().front().ctx.cpu};
  return ctx;
}

bool on_shim() { return shim_schedule() != nullptr; }

std::vector<std::string> schedules() {
  if (!on_shim()) return {"device"};
  return {"greedy", "shuffled:1", "shuffled:2"};
}

ScheduleScope::ScheduleScope(const std::string& schedule) {
  if (on_shim()) shim_schedule()(schedule.c_str());
}
ScheduleScope::~ScheduleScope() {
  if (on_shim()) shim_schedule()("round-robin");
}

}  // namespace limr::test
