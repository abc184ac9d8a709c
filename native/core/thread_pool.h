// native/core/thread_pool.h - fork and join over a range. Results never depend on the number of threads: a body owns its rows.
#pragma once
#include <atomic>
#include <cstdint>
#include <exception>
#include <memory>
#include <thread>
#include <type_traits>
#include <vector>

namespace limr {

// Denormals read and written as zero, on this thread, for this scope: as AVX-512-BF16 dot products always do.
class FlushDenormals {
 public:
  FlushDenormals();
  ~FlushDenormals();
  FlushDenormals(const FlushDenormals&) = delete;
  FlushDenormals& operator=(const FlushDenormals&) = delete;

 private:
  uint64_t saved_;
};

class ThreadPool {
 public:
  explicit ThreadPool(int threads);  // >= 1, the caller of parallel_for included
  ~ThreadPool();
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

  int size() const { return int(workers_.size()) + 1; }
  // Which of the pool's threads runs this: 0 for the caller, else 1 .. size()-1. For scratch memory.
  static int worker_index();

  // Calls body(begin, end) over disjoint pieces of [0, n), each of `grain` items except the last. The caller works too.
  // A thread takes pieces that follow each other, so that what it prefetches is what it reads next, and helps the others at the end.
  // The first exception is thrown here once all pieces have ended. One caller at a time; bodies must not nest.
  template <typename Body>
  void parallel_for(int64_t n, int64_t grain, Body&& body) {
    run(
        n, grain < 1 ? 1 : grain,
        [](void* f, int64_t b, int64_t e) { (*static_cast<std::remove_reference_t<Body>*>(f))(b, e); },
        const_cast<void*>(static_cast<const void*>(&body)));
  }

 private:
  using Fn = void (*)(void*, int64_t, int64_t);
  void run(int64_t n, int64_t grain, Fn fn, void* body);
  void work();
  void worker_main();

  // The job, written while it is closed and nobody is inside.
  struct alignas(64) Share {
    std::atomic<int64_t> next{0};
    int64_t end = 0;
  };
  int64_t n_ = 0, grain_ = 1;
  Fn fn_ = nullptr;
  void* body_ = nullptr;
  std::vector<Share> shares_;  // one a thread
  std::exception_ptr error_;
  std::atomic<bool> failed_{false};

  // A worker enters an open job; the caller closes it when all pieces are taken, and waits only for those inside. A worker that
  // the system did not schedule in time costs nothing: the caller has done its share.
  alignas(64) std::atomic<bool> open_{false};
  alignas(64) std::atomic<uint32_t> inside_{0};
  alignas(64) std::atomic<uint32_t> epoch_{0};
  std::atomic<bool> stop_{false};
  std::vector<std::thread> workers_;
};

}  // namespace limr
