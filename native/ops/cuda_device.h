// native/ops/cuda_device.h - a GPU behind limr_cuda.so: the module is loaded at run time, since most machines have neither.
#pragma once
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "core/device.h"
#include "ops/cuda/table.h"

namespace limr::cuda {

// Device memory that a process takes beside what it asks for by alloc: cuBLASLt's kernels as they are loaded, recorded steps, and what
// products need while they choose their algorithms (33 MiB up to 32,768 columns). An estimate: what a device takes is for the GPU suite
// to say.
constexpr size_t kDeviceOverhead = size_t(320) << 20;

struct CudaOptions {
  std::string module;  // file of limr_cuda.so
  int device = 0;
  std::vector<std::string> cublaslt;  // files or sonames, tried in order
  bool sync = false;                  // LIMR_SYNC=1
};

// The module's table, loaded once a process and file. Throws kPlatform with the loader's words, or for a module of another build.
const Table& load_module(const std::string& file);

// Rethrows what the module reports.
inline void check(const Failure* f) {
  if (f) [[unlikely]]
    throw Error(f->code, f->message, f->hint);
}

class CudaDevice;

// A point in a queue's work.
class QueueEvent {
 public:
  QueueEvent(CudaDevice& device);
  ~QueueEvent();
  QueueEvent(const QueueEvent&) = delete;
  QueueEvent& operator=(const QueueEvent&) = delete;
  Event* get() const { return event_; }

 private:
  const Table& table_;
  Event* event_ = nullptr;
};

// A second queue of a device: copies between pinned host memory and the device, beside its ops.
class CopyQueue {
 public:
  explicit CopyQueue(CudaDevice& device);
  ~CopyQueue();  // waits
  CopyQueue(const CopyQueue&) = delete;
  CopyQueue& operator=(const CopyQueue&) = delete;

  void copy_in(void* dest, const void* pinned, size_t bytes) { check(table_.copy_in(stream_, dest, pinned, bytes)); }
  void copy_out(void* pinned, const void* source, size_t bytes) {
    check(table_.copy_out(stream_, pinned, source, bytes));
  }
  void record(const QueueEvent& e) { check(table_.record(stream_, e.get())); }
  // What is queued from now on here runs after what was queued before the event.
  void wait(const QueueEvent& e) { check(table_.wait(stream_, e.get())); }
  // The same for everything queued on the device so far; `e` marks it.
  void wait_for(CudaDevice& device, const QueueEvent& e);
  void synchronize() { check(table_.synchronize(stream_)); }

 private:
  const Table& table_;
  Stream* stream_ = nullptr;
};

// What was queued on a device, recorded to be queued again as one. It holds addresses, not contents.
class Graph {
 public:
  // Records what `queue` queues; nothing of it runs. Memory of the device is neither taken nor given back meanwhile, by any thread.
  Graph(CudaDevice& device, const std::function<void()>& queue);
  ~Graph();
  Graph(const Graph&) = delete;
  Graph& operator=(const Graph&) = delete;
  void launch() const;

 private:
  CudaDevice& device_;
  void* graph_ = nullptr;
};

class CudaDevice final : public Device {
 public:
  explicit CudaDevice(const CudaOptions& options);
  ~CudaDevice() override;
  CudaDevice(const CudaDevice&) = delete;
  CudaDevice& operator=(const CudaDevice&) = delete;

  const Table& table() const { return table_; }
  Stream* stream() const { return stream_; }
  DeviceInfo info() const;
  // It waits after every launch, so that a failure names its op.
  bool sync() const { return sync_; }
  std::string cublaslt() const { return table_.cublaslt_path(stream_); }

  // Queues an op: device.call(&Table::rmsnorm_forward, op).
  template <class Op>
  void call(Call<Op> Table::*op, const Op& o) const {
    check((table_.*op)(stream_, o));
  }

  void record(const QueueEvent& e) { check(table_.record(stream_, e.get())); }
  void wait(const QueueEvent& e) { check(table_.wait(stream_, e.get())); }

  DeviceKind kind() const override { return DeviceKind::kCuda; }
  std::string name() const override;
  void* alloc(size_t bytes) override;
  void free(void* data, size_t bytes) noexcept override;
  void* alloc_pinned(size_t bytes) override;
  void free_pinned(void* data, size_t bytes) noexcept override;
  void copy_in(void* dest, const void* source, size_t bytes) override;
  void copy_out(void* dest, const void* source, size_t bytes) override;
  void copy_within(void* dest, const void* source, size_t bytes) override;
  void zero(void* dest, size_t bytes) override;
  void synchronize() override;

 private:
  friend class Graph;

  const Table& table_;
  int device_;
  bool sync_;
  Stream* stream_ = nullptr;
  std::mutex recording_;  // while a graph is, and while memory comes and goes
};

}  // namespace limr::cuda
