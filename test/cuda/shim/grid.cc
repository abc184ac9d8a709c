// See block.h: all blocks of a grid, and what their shared memory holds when they begin.
#include <link.h>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <cstdlib>
#include <cstring>
#include <mutex>
#include <thread>
#include <vector>

#include "block.h"
#include "sanitizers.h"

namespace limr::shim {

__thread Own own;

namespace {

// Where this library's thread-local data lies on this OS thread.
struct TlsBlock {
  char* data;
  size_t bytes;
};
int find_tls(dl_phdr_info* info, size_t, void* result) {
  const auto here = reinterpret_cast<ElfW(Addr)>(&find_tls);
  bool mine = false;
  size_t bytes = 0;
  for (int i = 0; i < info->dlpi_phnum; ++i) {
    const auto& segment = info->dlpi_phdr[i];
    const ElfW(Addr) begin = info->dlpi_addr + segment.p_vaddr;
    if (segment.p_type == PT_LOAD && here >= begin && here < begin + segment.p_memsz) mine = true;
    if (segment.p_type == PT_TLS) bytes = segment.p_memsz;
  }
  if (!mine) return 0;
  *static_cast<TlsBlock*>(result) = {static_cast<char*>(info->dlpi_tls_data), bytes};
  return 1;
}

TlsBlock thread_local_data() {
  own.last_error += 0;  // touched, so that it exists
  TlsBlock found{nullptr, 0};
  dl_iterate_phdr(find_tls, &found);
  return found;
}

// Shared memory holds NaN where nobody has written.
void poison_shared(const TlsBlock& tls, char* dynamic, size_t dynamic_bytes) {
  if constexpr (kSharedIsThreadLocal) {
    char* const kept = reinterpret_cast<char*>(&own);
    std::memset(tls.data, 0xff, size_t(kept - tls.data));
    std::memset(kept + sizeof own, 0xff, size_t(tls.data + tls.bytes - kept) - sizeof own);
  }
  if (dynamic_bytes) std::memset(dynamic, 0xff, dynamic_bytes);
}

// Blocks with their stacks, kept for the next launch.
class BlockPool {
 public:
  auto take() {
    const std::lock_guard lock(mutex_);
    if (idle_.empty()) return make_block();
    auto block = std::move(idle_.back());
    idle_.pop_back();
    return block;
  }
  void give_back(std::unique_ptr<Block, void (*)(Block*)> block) {
    const std::lock_guard lock(mutex_);
    idle_.push_back(std::move(block));
  }

 private:
  std::mutex mutex_;
  std::vector<std::unique_ptr<Block, void (*)(Block*)>> idle_;
};

// Calls work() on this thread and on helpers, and returns when all have returned. One caller at a time.
class Helpers {
 public:
  explicit Helpers(int count) {
    for (int i = 0; i < count; ++i) threads_.emplace_back([this] { serve(); });
  }
  void run(const std::function<void()>& work) {
    {
      const std::lock_guard lock(mutex_);
      work_ = &work, ++turn_, busy_ = int(threads_.size());
    }
    begin_.notify_all();
    work();
    std::unique_lock lock(mutex_);
    end_.wait(lock, [this] { return busy_ == 0; });
  }

 private:
  [[noreturn]] void serve() {
    for (uint64_t seen = 0;;) {
      std::unique_lock lock(mutex_);
      begin_.wait(lock, [&] { return turn_ != seen; });
      seen = turn_;
      const auto* work = work_;
      lock.unlock();
      (*work)();
      lock.lock();
      if (--busy_ == 0) end_.notify_all();
    }
  }
  std::mutex mutex_;
  std::condition_variable begin_, end_;
  const std::function<void()>* work_ = nullptr;
  uint64_t turn_ = 0;
  int busy_ = 0;
  std::vector<std::thread> threads_;
};

int os_threads() {
  const char* value = std::getenv("CUDA_SHIM_THREADS");
  const int count = value ? std::atoi(value) : 1;
  if (count < 1 || count > 64) die("CUDA_SHIM_THREADS is not a number from 1 to 64");
  return kSharedIsThreadLocal ? count : 1;
}

}  // namespace

void run_grid(const Grid& grid) {
  static auto& pool = *new BlockPool;  // never destroyed: helpers outlive static objects
  static auto& helpers = *new Helpers(os_threads() - 1);
  static auto& one_launch = *new std::mutex;
  const std::lock_guard lock(one_launch);
  const int64_t blocks = grid.blocks.count();
  std::atomic<int64_t> next{0};
  const auto work = [&] {
    int64_t b = next.fetch_add(1, std::memory_order_relaxed);
    if (b >= blocks) return;
    auto block = pool.take();
    const TlsBlock tls = thread_local_data();
    void* dynamic = nullptr;
    if (posix_memalign(&dynamic, 1024, std::max<size_t>(grid.shared_bytes, 1)) != 0) die("no dynamic shared memory");
    own.dynamic_shared = static_cast<char*>(dynamic);
    for (; b < blocks; b = next.fetch_add(1, std::memory_order_relaxed)) {
      poison_shared(tls, own.dynamic_shared, grid.shared_bytes);
      run_block(*block, grid,
                {unsigned(b % grid.blocks.x), unsigned(b / grid.blocks.x % grid.blocks.y),
                 unsigned(b / grid.blocks.x / grid.blocks.y)});
    }
    std::free(dynamic);
    pool.give_back(std::move(block));
  };
  helpers.run(work);
}

}  // namespace limr::shim
