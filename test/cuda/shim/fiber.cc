#include "fiber.h"

#include <pthread.h>
#include <sys/mman.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#if !defined(__x86_64__)
#include <ucontext.h>
#endif

#include "sanitizers.h"

namespace limr::shim {
namespace {

constexpr size_t kPage = 4096;
// Instrumented frames are several times larger. Pages that nobody touches cost nothing.
constexpr size_t kStackBytes = (kAsan || kTsan ? 256 : 64) << 10;

// Where a new fiber finds itself: nothing else is passed through the first switch.
__thread Fiber* starting = nullptr;

}  // namespace

#if defined(__x86_64__)
// Saves what a callee must keep, and continues the other stack where it was saved.
extern "C" void limr_shim_switch(void** save, void* load);
asm(R"(
.text
.hidden limr_shim_switch
.globl limr_shim_switch
.type limr_shim_switch, @function
limr_shim_switch:
  pushq %rbp
  pushq %rbx
  pushq %r12
  pushq %r13
  pushq %r14
  pushq %r15
  movq %rsp, (%rdi)
  movq %rsi, %rsp
  popq %r15
  popq %r14
  popq %r13
  popq %r12
  popq %rbx
  popq %rbp
  ret
.size limr_shim_switch, .-limr_shim_switch
)");
#else
namespace {
void limr_shim_switch(void** save, void* load) {
  swapcontext(static_cast<ucontext_t*>(*save), static_cast<ucontext_t*>(load));
}
}  // namespace
#endif

Fiber::Fiber() {
  if constexpr (kAsan) {
    pthread_attr_t attributes;
    void* bottom = nullptr;
    if (pthread_getattr_np(pthread_self(), &attributes) == 0) {
      pthread_attr_getstack(&attributes, &bottom, &size_);
      pthread_attr_destroy(&attributes);
    }
    bottom_ = bottom;
  }
#if !defined(__x86_64__)
  sp_ = new ucontext_t;
#endif
  tsan_ = tsan_current_fiber();
}

Fiber::Fiber(void (*entry)(void*), void* argument) : entry_(entry), argument_(argument) {
  void* stack = mmap(nullptr, kPage + kStackBytes, PROT_READ | PROT_WRITE,
                     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_STACK, -1, 0);
  if (stack == MAP_FAILED || mprotect(stack, kPage, PROT_NONE) != 0) {
    std::fputs("limr shim: no memory for the stack of a device thread\n", stderr);
    std::abort();
  }
  stack_ = static_cast<char*>(stack);
  bottom_ = stack_ + kPage;
  size_ = kStackBytes;
#if defined(__x86_64__)
  auto* top = reinterpret_cast<uint64_t*>(stack_ + kPage + kStackBytes) - 2;
  *--top = 0;                                   // start() finds the stack as after a call
  *--top = reinterpret_cast<uint64_t>(&start);  // popped by ret
  for (int i = 0; i < 6; ++i) *--top = 0;       // six saved registers
  sp_ = top;
#else
  auto* context = new ucontext_t;
  getcontext(context);
  context->uc_stack.ss_sp = stack_ + kPage;
  context->uc_stack.ss_size = kStackBytes;
  context->uc_link = nullptr;
  makecontext(context, &start, 0);
  sp_ = context;
#endif
  tsan_ = tsan_create_fiber();
}

Fiber::~Fiber() {
#if !defined(__x86_64__)
  delete static_cast<ucontext_t*>(sp_);
#endif
  if (!stack_) return;
  tsan_destroy_fiber(tsan_);
  munmap(stack_, kPage + kStackBytes);
}

void Fiber::start() {
  asan_finish_switch(nullptr);
  Fiber* self = starting;
  self->entry_(self->argument_);
  std::abort();
}

void Fiber::switch_to(Fiber& to) {
  starting = &to;
  asan_start_switch(&fake_stack_, to.bottom_, to.size_);
  tsan_switch_to(to.tsan_);
  limr_shim_switch(&sp_, to.sp_);
  asan_finish_switch(fake_stack_);
}

}  // namespace limr::shim
