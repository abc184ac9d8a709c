#include "engine/linear_probe.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <random>
#include <vector>

#include "core/arena.h"
#include "ops/ref/matmul.h"

namespace limr {
namespace {

// Uniform in [-scale, scale); from a table, since drawing each of 10^8 would take longer than what is measured.
void fill(bf16* out, int64_t n, float scale) {
  std::vector<bf16> table(65521);  // a prime: rows of no width repeat
  std::minstd_rand rng(7);
  for (bf16& x : table) x = f32_to_bf16((float(rng() % 2048) / 1024 - 1) * scale);
  const int64_t size = int64_t(table.size());
  for (int64_t i = 0; i < n; i += size) std::copy_n(table.begin(), std::min(size, n - i), out + i);
}

void expect_close(const char* op, double got, double want, double scale) {
  LIMR_CHECK(std::abs(got - want) <= 0.01 * scale, kInternal, cat(op, " gives ", got, " where ops/ref gives ", want),
             "Please report this: kernels of this build are wrong.");
}

size_t count(int64_t n) { return size_t(n); }

}  // namespace

double LinearCase::bytes() const {
  const double activations = double(M) * double(N + K), weight = double(N) * double(K);
  return 2 * activations + (op == kBackwardWeight ? 8 : 2) * weight;
}

LinearCase::Op linear_op(const std::string& name) {
  if (name == "forward") return LinearCase::kForward;
  if (name == "swiglu") return LinearCase::kSwiglu;
  if (name == "dinp") return LinearCase::kBackwardInput;
  if (name == "dweight") return LinearCase::kBackwardWeight;
  throw Error(Code::kUsage, cat("no linear op is called \"", name, "\""), "Known: forward, swiglu, dinp, dweight.");
}

struct LinearProbe::Operands {
  LinearCase c;
  int64_t stride, ldi, ldd, copies, calls = 0;  // of a weight; of the rows of inp and dout, as the engine lays them
  Buffer weights, inp, dout, out, gradient, scratch;

  explicit Operands(const LinearCase& given)
      : c(given),
        stride(packed_elements(c.N, c.K)),
        ldi(operand_stride(c.K)),
        ldd(operand_stride(round_up(c.N, 2))),
        copies(std::max<int64_t>(1, (c.rotate_bytes + stride * 2 - 1) / (stride * 2))) {
    const bool backward_weight = c.op == LinearCase::kBackwardWeight;
    inp = Buffer(count(c.M * ldi * 2)), dout = Buffer(count(c.M * ldd * 2));
    fill(inp.as<bf16>(), c.M * ldi, 1), fill(dout.as<bf16>(), c.M * ldd, 1);
    for (int64_t m = 0; m < c.M && c.N % 2 == 1; ++m) dout.as<bf16>()[m * ldd + c.N] = 0;
    if (backward_weight) {
      gradient = Buffer(count(stride * 4));
      scratch = Buffer(linear_backward_weight_scratch_bytes({}, c.M, c.N, c.K));
      return;
    }
    weights = Buffer(count(copies * stride * 2));
    fill(weights.as<bf16>(), stride, 1 / std::sqrt(float(c.K)));
    for (int64_t i = 1; i < copies; ++i) std::copy_n(weights.as<bf16>(), stride, weights.as<bf16>() + i * stride);
    out = Buffer(count(c.M * (c.op == LinearCase::kBackwardInput ? c.K : c.N) * 2));
  }

  PackedWeight weight() const { return {weights.as<bf16>() + calls % copies * stride, c.N, c.K}; }
  View rows(const Buffer& buffer, int64_t cols, int64_t stride_of_row) const {
    return {buffer.data(), c.M, cols, stride_of_row, DType::kBf16};
  }

  void call(const Context& ctx) {
    const int64_t even = round_up(c.N, 2);
    switch (c.op) {
      case LinearCase::kForward:
        linear_forward(
            ctx,
            {.out = rows(out, c.N, c.N), .inp = rows(inp, c.K, ldi), .weight = weight(), .bias = {}, .residual = {}});
        break;
      case LinearCase::kSwiglu:
        swiglu_forward(
            ctx, {.out = rows(out, c.N / 2, c.N / 2), .gate_up = {}, .inp = rows(inp, c.K, ldi), .weight = weight()});
        break;
      case LinearCase::kBackwardInput:
        linear_backward_input(ctx, {.dinp = rows(out, c.K, c.K), .dout = rows(dout, even, ldd), .weight = weight()});
        break;
      case LinearCase::kBackwardWeight:
        linear_backward_weight(ctx, {.dweight = gradient.as<float>(),
                                     .dbias = {},
                                     .dout = rows(dout, c.N, ldd),
                                     .inp = rows(inp, c.K, ldi),
                                     .scratch = scratch.data()});
        break;
    }
    ++calls;
  }

  // After the first call: the first and the last row, or the first outputs of a gradient.
  void check() const {
    const int64_t even = round_up(c.N, 2);
    PackedWeight first = weight();
    first.panels = weights.as<bf16>();
    if (c.op == LinearCase::kBackwardWeight) {
      std::vector<float> want(count(packed_elements(2, c.K)));
      const int64_t n = std::min<int64_t>(c.N, 2);
      ref::linear_backward_weight({.dweight = want.data(),
                                   .dbias = {},
                                   .dout = rows(dout, n, ldd),
                                   .inp = rows(inp, c.K, ldi),
                                   .scratch = nullptr});
      for (int64_t r = 0; r < n; ++r)
        for (int64_t k = 0; k < c.K; ++k) {
          const size_t i = count(packed_index(r, k, c.K));
          expect_close("linear_backward_weight", gradient.as<float>()[i], want[i], std::sqrt(double(c.M)));
        }
      return;
    }
    const int64_t width = c.op == LinearCase::kForward ? c.N : c.op == LinearCase::kSwiglu ? c.N / 2 : c.K;
    std::vector<float> want(count(width));
    std::vector<bf16> rounded(count(width));
    for (const int64_t m : {int64_t(0), c.M - 1}) {
      const View x = view(inp.as<bf16>() + m * ldi, 1, c.K);
      if (c.op == LinearCase::kForward) {
        ref::linear_forward(
            {.out = view(want.data(), 1, width), .inp = x, .weight = first, .bias = {}, .residual = {}});
      } else if (c.op == LinearCase::kSwiglu) {
        ref::swiglu_forward({.out = view(rounded.data(), 1, width), .gate_up = {}, .inp = x, .weight = first});
        std::transform(rounded.begin(), rounded.end(), want.begin(), bf16_to_f32);
      } else {
        ref::linear_backward_input(
            {.dinp = view(want.data(), 1, width), .dout = view(dout.as<bf16>() + m * ldd, 1, even), .weight = first});
      }
      const double scale = c.op == LinearCase::kBackwardInput ? std::sqrt(double(c.N) / double(c.K)) : 1;
      for (int64_t i = 0; i < width; ++i)
        expect_close("a linear op", bf16_to_f32(out.as<bf16>()[m * width + i]), want[count(i)], scale);
    }
  }
};

LinearProbe::LinearProbe(const Context& ctx, const LinearCase& c) {
  LIMR_CHECK(c.M >= 1 && c.N >= 1 && c.K >= 2 && c.K % 2 == 0 && c.rotate_bytes >= 0, kUsage,
             cat("a product of ", c.M, " tokens with a weight [", c.N, ", ", c.K, "]"),
             "Sizes are positive, and the inputs of a weight even in number.");
  operands_ = std::make_unique<Operands>(c);
  operands_->call(ctx);
  operands_->check();
}

LinearProbe::~LinearProbe() = default;

double LinearProbe::time(const Context& ctx, double at_least) {
  using Clock = std::chrono::steady_clock;
  const auto begin = Clock::now();
  double seconds = 0;
  int64_t calls = 0;
  for (int64_t more = 1; calls == 0 || seconds < at_least; more *= 2) {
    ctx.throw_if_aborted();
    for (int64_t i = 0; i < more; ++i) operands_->call(ctx);
    calls += more;
    seconds = std::chrono::duration<double>(Clock::now() - begin).count();
    // No more than what is still missing, by the mean so far.
    more = std::min(more, int64_t((at_least - seconds) / std::max(seconds, 1e-9) * double(calls) / 2));
    more = std::max<int64_t>(more, 1);
  }
  return seconds / double(calls);
}

}  // namespace limr
