// native/core/arena.h - one block of memory that a phase carves its buffers from. The only owner of big scratch memory.
#pragma once
#include <cstddef>
#include <cstdint>

#include "core/device.h"
#include "core/view.h"

namespace limr {

// Bump allocator over one block of a device's memory. The same code that allocates can first run on a planner, which only adds up
// bytes: so what `plan` says and what a phase takes are one number.
class Arena {
 public:
  explicit Arena(Device& device = cpu_device()) : device_(&device) {}
  // Never dereference what it returns; ask it for peak().
  static Arena planner();
  ~Arena();
  Arena(const Arena&) = delete;
  Arena& operator=(const Arena&) = delete;
  Arena(Arena&& other) noexcept;

  // Makes room for at least `bytes`. Only while nothing is allocated. Throws kMemory when the system refuses.
  void reserve(size_t bytes);

  // Gives the space back. Only while nothing is allocated.
  void reset();

  // 64-byte aligned, not initialized. Throws kMemory when the reserved space is spent.
  void* alloc(size_t bytes);
  template <typename T>
  T* array(int64_t count) {
    return static_cast<T*>(alloc(size_t(count) * sizeof(T)));
  }
  View matrix(DType dtype, int64_t rows, int64_t cols) {
    return view(alloc(size_t(rows * cols * dtype_bytes(dtype))), dtype, rows, cols);
  }
  // [rows, cols] bf16 for products to read.
  View operand(int64_t rows, int64_t cols) {
    View v = matrix(DType::kBf16, rows, operand_stride(cols));
    v.cols = cols;
    return v;
  }

  size_t mark() const { return used_; }
  void release(size_t mark) { used_ = mark; }
  size_t capacity() const { return capacity_; }
  size_t peak() const { return peak_; }
  bool planning() const { return planning_; }

 private:
  Device* device_;
  char* base_ = nullptr;
  size_t capacity_ = 0, used_ = 0, peak_ = 0;
  bool planning_ = false;
};

// Gives back what was allocated in its scope.
class ArenaScope {
 public:
  explicit ArenaScope(Arena& arena) : arena_(arena), mark_(arena.mark()) {}
  ~ArenaScope() { arena_.release(mark_); }
  ArenaScope(const ArenaScope&) = delete;
  ArenaScope& operator=(const ArenaScope&) = delete;

 private:
  Arena& arena_;
  size_t mark_;
};

// Long-lived zero-filled memory of one owner (weights, gradients, moments), on a device or pinned on the host beside it.
class Buffer {
 public:
  Buffer() = default;
  enum Place { kOnDevice, kPinned };
  explicit Buffer(size_t bytes, Device& device = cpu_device(), Place place = kOnDevice);
  ~Buffer();
  Buffer(Buffer&& other) noexcept;
  Buffer& operator=(Buffer&& other) noexcept;
  void* data() const { return data_; }
  size_t bytes() const { return bytes_; }
  bool pinned() const { return place_ == kPinned; }
  template <typename T>
  T* as() const {
    return static_cast<T*>(data_);
  }

 private:
  Device* device_ = nullptr;
  void* data_ = nullptr;
  size_t bytes_ = 0;
  Place place_ = kOnDevice;
};

}  // namespace limr
