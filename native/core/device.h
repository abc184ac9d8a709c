// native/core/device.h - who owns memory and how bytes get there: the host, or a GPU. Views and op structs carry pointers of either
// kind; host code follows one only where Device::on_host() says so, and otherwise uploads and downloads.
#pragma once
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace limr {

enum class DeviceKind : uint8_t { kCpu, kCuda };

// What sizes of scratch memory depend on, so that a plan needs no device.
struct Target {
  DeviceKind device = DeviceKind::kCpu;
  int threads = 1;  // of the CPU
};

// Copies and fills are queued behind the ops that were queued before. All throw limr::Error.
class Device {
 public:
  virtual ~Device();
  virtual DeviceKind kind() const = 0;
  virtual std::string name() const = 0;  // "cpu", "cuda:0"
  bool on_host() const { return kind() == DeviceKind::kCpu; }

  // Zero-filled: pages are touched on first use where they can be. Throws kMemory.
  virtual void* alloc(size_t bytes) = 0;
  // Waits for the queue. From any thread.
  virtual void free(void* data, size_t bytes) noexcept = 0;
  // Host memory that the device copies to and from at full speed, zero-filled. On the host: any memory.
  virtual void* alloc_pinned(size_t bytes) = 0;
  virtual void free_pinned(void* data, size_t bytes) noexcept = 0;

  // `source` may change as soon as this returns.
  virtual void copy_in(void* dest, const void* source, size_t bytes) = 0;
  // `dest` is filled when this returns.
  virtual void copy_out(void* dest, const void* source, size_t bytes) = 0;
  virtual void copy_within(void* dest, const void* source, size_t bytes) = 0;
  virtual void zero(void* dest, size_t bytes) = 0;
  // Waits for all that was queued; throws what failed.
  virtual void synchronize() = 0;
};

// The host's memory. Lives for the process.
Device& cpu_device();

// `count` elements where the host can read them: themselves, or a copy in `staging` once the device has written them.
template <typename T>
const T* on_host(Device& device, const T* data, int64_t count, std::vector<T>& staging) {
  if (device.on_host()) return data;
  staging.resize(size_t(count));
  device.copy_out(staging.data(), data, size_t(count) * sizeof(T));
  return staging.data();
}

}  // namespace limr
