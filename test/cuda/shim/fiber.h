// test/cuda/shim/fiber.h - a stack and a place in its code: what one device thread of the host shim runs on.
#pragma once
#include <cstddef>

namespace limr::shim {

class Fiber {
 public:
  // The stack that the caller runs on already.
  Fiber();
  // A new stack; the first switch to it calls entry(argument), which must not return.
  Fiber(void (*entry)(void*), void* argument);
  ~Fiber();
  Fiber(const Fiber&) = delete;
  Fiber& operator=(const Fiber&) = delete;

  // From this fiber, which must be the one that runs, to another; returns when somebody switches back.
  void switch_to(Fiber& to);

 private:
  static void start();

  void* sp_ = nullptr;
  char* stack_ = nullptr;  // of new stacks: the mapping, its lowest page a guard
  void (*entry_)(void*) = nullptr;
  void* argument_ = nullptr;
  const void* bottom_ = nullptr;  // for AddressSanitizer
  size_t size_ = 0;
  void* fake_stack_ = nullptr;
  void* tsan_ = nullptr;
};

}  // namespace limr::shim
