#include "core/device.h"

#include <sys/mman.h>

#include <cstring>

#include "core/error.h"

namespace limr {
namespace {

class CpuDevice final : public Device {
 public:
  DeviceKind kind() const override { return DeviceKind::kCpu; }
  std::string name() const override { return "cpu"; }

  void* alloc(size_t bytes) override {
    void* p = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    LIMR_CHECK(p != MAP_FAILED, kMemory, cat("the system refused ", bytes >> 20, " MiB"),
               "Use a smaller model, batch or token budget; `limr-engine plan` shows what each takes.");
#ifdef MADV_HUGEPAGE
    if (bytes >= (size_t(4) << 20)) madvise(p, bytes, MADV_HUGEPAGE);  // fewer TLB misses; advice only
#endif
    return p;
  }
  void free(void* data, size_t bytes) noexcept override { munmap(data, bytes); }
  void* alloc_pinned(size_t bytes) override { return alloc(bytes); }
  void free_pinned(void* data, size_t bytes) noexcept override { munmap(data, bytes); }
  void copy_in(void* dest, const void* source, size_t bytes) override { std::memmove(dest, source, bytes); }
  void copy_out(void* dest, const void* source, size_t bytes) override { std::memmove(dest, source, bytes); }
  void copy_within(void* dest, const void* source, size_t bytes) override { std::memmove(dest, source, bytes); }
  void zero(void* dest, size_t bytes) override { std::memset(dest, 0, bytes); }
  void synchronize() override {}
};

}  // namespace

Device::~Device() = default;

Device& cpu_device() {
  static CpuDevice device;
  return device;
}

}  // namespace limr
