#include "core/thread_pool.h"

#include <algorithm>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace limr {
namespace {

constexpr int kSpins =
    4000;  // about 50 us: longer than the gap between two ops, far shorter than one between two phases

inline void relax() {
#if defined(__x86_64__)
  _mm_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

// Returns once `value` differs from `old`.
void wait_change(const std::atomic<uint32_t>& value, uint32_t old, int spins) {
  for (int i = 0; i < spins; ++i) {
    if (value.load(std::memory_order_acquire) != old) return;
    relax();
  }
  value.wait(old, std::memory_order_acquire);
}

thread_local int t_worker_index = 0;

}  // namespace

FlushDenormals::FlushDenormals() {
#if defined(__x86_64__)
  saved_ = _mm_getcsr();
  _mm_setcsr(uint32_t(saved_) | 0x8040u);  // FTZ | DAZ
#elif defined(__aarch64__)
  asm volatile("mrs %0, fpcr" : "=r"(saved_));
  asm volatile("msr fpcr, %0" ::"r"(saved_ | (uint64_t(1) << 24)));  // FZ
#else
  saved_ = 0;
#endif
}

FlushDenormals::~FlushDenormals() {
#if defined(__x86_64__)
  _mm_setcsr(uint32_t(saved_));
#elif defined(__aarch64__)
  asm volatile("msr fpcr, %0" ::"r"(saved_));
#endif
}

ThreadPool::ThreadPool(int threads) : shares_(size_t(threads)) {
  for (int i = 1; i < threads; ++i)
    workers_.emplace_back([this, i] {
      t_worker_index = i;
      worker_main();
    });
}

int ThreadPool::worker_index() { return t_worker_index; }

ThreadPool::~ThreadPool() {
  stop_.store(true, std::memory_order_relaxed);
  epoch_.fetch_add(1, std::memory_order_release);
  epoch_.notify_all();
  for (auto& w : workers_) w.join();
}

void ThreadPool::work() {
  const size_t threads = shares_.size(), own = size_t(t_worker_index);
  for (size_t i = 0; i < threads; ++i) {
    Share& share = shares_[(own + i) % threads];
    for (int64_t begin; (begin = share.next.fetch_add(grain_, std::memory_order_relaxed)) < share.end;) {
      try {
        fn_(body_, begin, begin + grain_ < share.end ? begin + grain_ : share.end);
      } catch (...) {
        if (!failed_.exchange(true)) error_ = std::current_exception();
        for (Share& s : shares_) s.next.store(n_, std::memory_order_relaxed);
      }
    }
  }
}

void ThreadPool::worker_main() {
  const FlushDenormals flush;
  uint32_t seen = 0;
  for (;;) {
    wait_change(epoch_, seen, kSpins);
    seen = epoch_.load(std::memory_order_acquire);
    if (stop_.load(std::memory_order_relaxed)) return;
    inside_.fetch_add(1);  // sequentially consistent, as open_: either we see it closed, or the caller sees us inside
    if (open_.load()) work();
    if (inside_.fetch_sub(1) == 1) inside_.notify_one();
  }
}

void ThreadPool::run(int64_t n, int64_t grain, Fn fn, void* body) {
  if (n <= 0) return;
  const FlushDenormals flush;
  if (workers_.empty() || n <= grain) {
    for (int64_t b = 0; b < n; b += grain) fn(body, b, b + grain < n ? b + grain : n);
    return;
  }
  n_ = n, grain_ = grain, fn_ = fn, body_ = body;
  error_ = nullptr;
  failed_.store(false, std::memory_order_relaxed);
  const int64_t pieces = (n + grain - 1) / grain, threads = size();
  for (int64_t i = 0; i < threads; ++i) {
    Share& share = shares_[size_t(i)];
    share.next.store(pieces * i / threads * grain, std::memory_order_relaxed);
    share.end = std::min(n, pieces * (i + 1) / threads * grain);
  }
  open_.store(true);
  epoch_.fetch_add(1, std::memory_order_release);
  epoch_.notify_all();
  work();
  open_.store(false);
  for (uint32_t left; (left = inside_.load()) != 0;) wait_change(inside_, left, kSpins);
  if (failed_.load()) std::rethrow_exception(error_);
}

}  // namespace limr
