#include "core/arena.h"

#include <sys/mman.h>

#include <algorithm>
#include <utility>

namespace limr {
namespace {

constexpr size_t kAlign = 64;

void* map_zeroed(size_t bytes) {
  void* p = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  LIMR_CHECK(p != MAP_FAILED, kMemory, cat("the system refused ", bytes >> 20, " MiB"),
             "Use a smaller model, batch or token budget; `limr-engine plan` shows what each takes.");
#ifdef MADV_HUGEPAGE
  if (bytes >= (size_t(4) << 20)) madvise(p, bytes, MADV_HUGEPAGE);  // fewer TLB misses; advice only
#endif
  return p;
}

}  // namespace

Arena Arena::planner() {
  Arena arena;
  arena.planning_ = true;
  return arena;
}

Arena::~Arena() {
  if (base_) munmap(base_, capacity_);
}

Arena::Arena(Arena&& other) noexcept
    : base_(std::exchange(other.base_, nullptr)),
      capacity_(std::exchange(other.capacity_, 0)),
      used_(std::exchange(other.used_, 0)),
      peak_(std::exchange(other.peak_, 0)),
      planning_(other.planning_) {}

void Arena::reserve(size_t bytes) {
  if (planning_ || bytes <= capacity_) return;
  LIMR_ASSERT(used_ == 0);
  if (base_) munmap(base_, capacity_);
  base_ = nullptr, capacity_ = 0;
  base_ = static_cast<char*>(map_zeroed(bytes));
  capacity_ = bytes;
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

Buffer::Buffer(size_t bytes) : data_(bytes ? map_zeroed(bytes) : nullptr), bytes_(bytes) {}

Buffer::~Buffer() {
  if (data_) munmap(data_, bytes_);
}

Buffer::Buffer(Buffer&& other) noexcept
    : data_(std::exchange(other.data_, nullptr)), bytes_(std::exchange(other.bytes_, 0)) {}

Buffer& Buffer::operator=(Buffer&& other) noexcept {
  std::swap(data_, other.data_);
  std::swap(bytes_, other.bytes_);
  return *this;
}

}  // namespace limr
