#include "core/arena.h"

#include <algorithm>
#include <utility>

namespace limr {
namespace {
constexpr size_t kAlign = 64;
}

Arena Arena::planner() {
  Arena arena;
  arena.planning_ = true;
  return arena;
}

Arena::~Arena() {
  if (base_) device_->free(base_, capacity_);
}

Arena::Arena(Arena&& other) noexcept
    : device_(other.device_),
      base_(std::exchange(other.base_, nullptr)),
      capacity_(std::exchange(other.capacity_, 0)),
      used_(std::exchange(other.used_, 0)),
      peak_(std::exchange(other.peak_, 0)),
      planning_(other.planning_) {}

void Arena::reserve(size_t bytes) {
  if (planning_ || bytes <= capacity_) return;
  reset();
  base_ = static_cast<char*>(device_->alloc(bytes));
  capacity_ = bytes;
}

void Arena::reset() {
  LIMR_ASSERT(used_ == 0);
  if (base_) device_->free(base_, capacity_);
  base_ = nullptr, capacity_ = 0;
}

void* Arena::alloc(size_t bytes) {
  const size_t begin = (used_ + kAlign - 1) / kAlign * kAlign;
  if (!planning_)
    LIMR_CHECK(begin + bytes <= capacity_, kMemory,
               cat("workspace of ", capacity_, " bytes is spent: ", begin, " used, ", bytes, " more asked for"),
               "Please report this: the plan and the phase disagree.");
  used_ = begin + bytes;
  peak_ = std::max(peak_, used_);
  return planning_ ? reinterpret_cast<void*>(kAlign + begin) : base_ + begin;
}

Buffer::Buffer(size_t bytes, Device& device, Place place) : device_(&device), bytes_(bytes), place_(place) {
  if (bytes) data_ = place == kPinned ? device.alloc_pinned(bytes) : device.alloc(bytes);
}

Buffer::~Buffer() {
  if (!data_) return;
  if (place_ == kPinned)
    device_->free_pinned(data_, bytes_);
  else
    device_->free(data_, bytes_);
}

Buffer::Buffer(Buffer&& other) noexcept
    : device_(other.device_),
      data_(std::exchange(other.data_, nullptr)),
      bytes_(std::exchange(other.bytes_, 0)),
      place_(other.place_) {}

Buffer& Buffer::operator=(Buffer&& other) noexcept {
  std::swap(device_, other.device_);
  std::swap(data_, other.data_);
  std::swap(bytes_, other.bytes_);
  std::swap(place_, other.place_);
  return *this;
}

}  // namespace limr
