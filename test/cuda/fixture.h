// test/cuda/fixture.h - what the tests of a device need: the module, its memory, and every schedule of the host shim.
//
// The module is the file that LIMR_CUDA_MODULE names, or else the host shim of the same build. With another module than the shim
// there is one schedule: the device's.
#pragma once
#include <algorithm>

#include "ops/cuda_device.h"
#include "ops/fixture.h"

namespace limr::test {

// Ops run on the device. Its host side has one thread.
const Context& gpu();
inline cuda::CudaDevice& gpu_device() { return *gpu().cuda; }
bool on_shim();
std::string module_file();

// In which order threads of a block run: what CUDA_SHIM_SCHEDULE takes. Round-robin again at the end of its scope.
std::vector<std::string> schedules();
class ScheduleScope {
 public:
  explicit ScheduleScope(const std::string& schedule);
  ~ScheduleScope();
  ScheduleScope(const ScheduleScope&) = delete;
  ScheduleScope& operator=(const ScheduleScope&) = delete;
};

// n elements in device memory, with nothing behind them that could be touched unnoticed.
template <typename T>
class DeviceArray {
 public:
  explicit DeviceArray(const std::vector<T>& host) : size_(host.size()) {
    data_ = static_cast<T*>(gpu_device().alloc(std::max<size_t>(bytes(), 1)));
    gpu_device().copy_in(data_, host.data(), bytes());
  }
  ~DeviceArray() { gpu_device().free(data_, bytes()); }
  DeviceArray(const DeviceArray&) = delete;
  DeviceArray& operator=(const DeviceArray&) = delete;

  T* data() const { return data_; }
  size_t bytes() const { return size_ * sizeof(T); }
  std::vector<T> host() const {
    std::vector<T> out(size_);
    gpu_device().copy_out(out.data(), data_, bytes());
    return out;
  }

 private:
  size_t size_;
  T* data_;
};
// Workspace that holds NaN.
inline DeviceArray<char> device_scratch(size_t bytes) {
  return DeviceArray<char>(std::vector<char>(bytes, char(0xff)));
}
template <typename T>
DeviceArray<T> device_poisoned(int64_t n) {
  return DeviceArray<T>(poisoned<T>(n));
}

// run() returns a tuple of vectors, an op's outputs. They must have the same bits in every schedule; returns them.
template <typename Run>
auto on_every_schedule(Run&& run, const std::string& context, const Location& where = Location::current()) {
  const auto first = run();
  for (const std::string& schedule : schedules()) {
    const ScheduleScope scope(schedule);
    const auto other = run();
    [&]<size_t... I>(std::index_sequence<I...>) {
      (expect_bits(std::get<I>(other), std::get<I>(first), cat(context, " output ", I, " schedule=", schedule), where),
       ...);
    }
    (std::make_index_sequence<std::tuple_size_v<decltype(other)>>());
  }
  return first;
}

// Row-major [rows, cols] with rows of zeros up to a multiple of 32: a weight as a device has it.
template <typename T>
std::vector<T> padded(std::vector<T> dense, int64_t rows, int64_t cols) {
  dense.resize(size_t(round_up(rows, kPanelRows) * cols));
  return dense;
}

}  // namespace limr::test
