// native/engine/linear_probe.h - how fast the linear layers of ops/matmul.h are at one shape, through the entry points that models use.
#pragma once
#include <memory>
#include <string>

#include "core/context.h"

namespace limr {

// Products of M tokens with a weight [N, K], 2 M N K flops each.
struct LinearCase {
  enum Op {
    kForward,         // out [M, N]
    kSwiglu,          // the same product, finished as [M, N/2]
    kBackwardInput,   // dinp [M, K], with the transpose of the weight
    kBackwardWeight,  // dweight [N, K], accumulated
  };
  Op op = kForward;
  int64_t M = 0, N = 0, K = 0;
  // Weights rotate through so much memory, as the layers of a model do; 0 = one weight, which caches may keep.
  int64_t rotate_bytes = 0;

  double flops() const { return 2.0 * double(M) * double(N) * double(K); }
  // Read and written at least, bf16 but for the f32 gradient of a weight, which is read and written.
  double bytes() const;
};

// "forward", "swiglu", "dinp", "dweight". Throws kUsage.
LinearCase::Op linear_op(const std::string& name);

class LinearProbe {
 public:
  // Allocates operands with random values, runs the case once and compares some of its outputs with ops/ref. Throws kUsage for a shape
  // that the op does not take, kMemory, kInternal when the outputs are wrong.
  LinearProbe(const Context& ctx, const LinearCase& c);
  ~LinearProbe();
  LinearProbe(const LinearProbe&) = delete;
  LinearProbe& operator=(const LinearProbe&) = delete;

  // Seconds a call: the mean of as many as take `at_least` seconds, at least one.
  double time(const Context& ctx, double at_least);

 private:
  struct Operands;
  std::unique_ptr<Operands> operands_;
};

}  // namespace limr
