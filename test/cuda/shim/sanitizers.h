// test/cuda/shim/sanitizers.h - what the sanitizers must be told about fibers, barriers and memory; nothing in plain builds.
#pragma once
#include <cstddef>

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#endif

// The scheduler is compiled without -fsanitize=thread, so that its own memory makes no races: LIMR_SHIM_TSAN says that the
// kernels are.
#if defined(LIMR_SHIM_TSAN)
extern "C" {
void* __tsan_get_current_fiber();
void* __tsan_create_fiber(unsigned flags);
void __tsan_destroy_fiber(void* fiber);
void __tsan_switch_to_fiber(void* fiber, unsigned flags);
void __tsan_acquire(void* address);
void __tsan_release(void* address);
}
#endif

namespace limr::shim {

#if defined(__SANITIZE_ADDRESS__)
constexpr bool kAsan = true;
inline void asan_start_switch(void** save, const void* bottom, size_t size) {
  __sanitizer_start_switch_fiber(save, bottom, size);
}
inline void asan_finish_switch(void* saved) { __sanitizer_finish_switch_fiber(saved, nullptr, nullptr); }
inline void asan_poison(void* data, size_t bytes) { __asan_poison_memory_region(data, bytes); }
inline void asan_unpoison(void* data, size_t bytes) { __asan_unpoison_memory_region(data, bytes); }
#else
constexpr bool kAsan = false;
inline void asan_start_switch(void**, const void*, size_t) {}
inline void asan_finish_switch(void*) {}
inline void asan_poison(void*, size_t) {}
inline void asan_unpoison(void*, size_t) {}
#endif

#if defined(LIMR_SHIM_TSAN)
constexpr bool kTsan = true;
inline void* tsan_current_fiber() { return __tsan_get_current_fiber(); }
inline void* tsan_create_fiber() { return __tsan_create_fiber(0); }
inline void tsan_destroy_fiber(void* fiber) { __tsan_destroy_fiber(fiber); }
constexpr unsigned kNoSynchronization = 1;  // a switch orders nothing; barriers do
inline void tsan_switch_to(void* fiber) { __tsan_switch_to_fiber(fiber, kNoSynchronization); }
inline void tsan_acquire(void* address) { __tsan_acquire(address); }
inline void tsan_release(void* address) { __tsan_release(address); }
#else
constexpr bool kTsan = false;
inline void* tsan_current_fiber() { return nullptr; }
inline void* tsan_create_fiber() { return nullptr; }
inline void tsan_destroy_fiber(void*) {}
inline void tsan_switch_to(void*) {}
inline void tsan_acquire(void*) {}
inline void tsan_release(void*) {}
#endif

// AddressSanitizer watches the ends of static arrays, but not of thread-local ones: under it `__shared__` is static, and blocks run on one
// OS thread.
constexpr bool kSharedIsThreadLocal = !kAsan;

}  // namespace limr::shim
