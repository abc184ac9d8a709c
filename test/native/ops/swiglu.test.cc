#include <algorithm>
#include <cmath>

#include "ops/fixture.h"
#include "ops/ref/matmul.h"

namespace limr::test {
namespace {

struct Shape {
  int64_t M, F, K, N;  // tokens, intermediate size, inputs, outputs of the down projection
  std::string text() const { return cat("M=", M, " F=", F, " K=", K, " N=", N); }
};

std::vector<Shape> shapes() {
  std::vector<Shape> out{{1, 16, 2, 2}, {3, 48, 18, 34}, {13, 32, 96, 64}, {25, 80, 32, 48}, {0, 16, 2, 2}};
  if (!small()) out.push_back({40, 512, 896, 130});
  return out;
}

LIMR_TEST(swiglu_forward_is_the_reference_everywhere) {
  Random rng(1);
  for (const auto& shape : shapes()) {
    const auto [M, F, K, N] = shape;
    const auto inp = normal_bf16(rng, M * K);
    const auto panels = pack(normal_bf16(rng, 2 * F * K, 2 / std::sqrt(float(K))), 2 * F, K);
    SwigluForward op{.out = {}, .gate_up = {}, .inp = view(inp.data(), M, K), .weight = {panels.data(), 2 * F, K}};
    const auto [out, gate_up] = everywhere(
        [&](const Context& ctx) {
          auto out = poisoned<bf16>(M * F), gate_up = poisoned<bf16>(M * 2 * F), generated = poisoned<bf16>(M * F);
          auto o = op;
          o.out = view(generated.data(), M, F);
          swiglu_forward(ctx, o);
          o.out = view(out.data(), M, F);
          o.gate_up = view(gate_up.data(), M, 2 * F);
          swiglu_forward(ctx, o);
          expect_bits(generated, out, cat(shape.text(), " without gate_up"));
          return std::tuple(out, gate_up);
        },
        shape.text());
    auto want = poisoned(M * F), want_gate_up = poisoned(M * 2 * F);
    op.out = view(want.data(), M, F);
    op.gate_up = view(want_gate_up.data(), M, 2 * F);
    ref::swiglu_forward(op);
    expect_close(out, want, kBf16Rounding, shape.text());
    expect_close(gate_up, want_gate_up, kBf16Rounding, shape.text());
  }
}

LIMR_TEST(swiglu_backward_is_the_reference_everywhere) {
  Random rng(2);
  for (const auto& shape : shapes()) {
    const auto [M, F, K, N] = shape;
    const auto dout = normal_bf16(rng, M * N), gate_up = normal_bf16(rng, M * 2 * F, 3);
    const auto down = pack(normal_bf16(rng, N * F), N, F);
    SwigluBackward op{.dgate_up = {},
                      .gate_up = view(gate_up.data(), M, 2 * F),
                      .dout = view(dout.data(), M, N),
                      .down = {down.data(), N, F}};
    const auto [dgate_up] = everywhere(
        [&](const Context& ctx) {
          auto dgate_up = poisoned<bf16>(M * 2 * F), aliased = gate_up;
          auto o = op;
          o.dgate_up = view(dgate_up.data(), M, 2 * F);
          swiglu_backward(ctx, o);
          o.dgate_up = o.gate_up = view(aliased.data(), M, 2 * F);
          swiglu_backward(ctx, o);
          expect_bits(aliased, dgate_up, cat(shape.text(), " dgate_up aliases gate_up"));
          return std::tuple(dgate_up);
        },
        shape.text());
    auto want = poisoned(M * 2 * F);
    op.dgate_up = view(want.data(), M, 2 * F);
    ref::swiglu_backward(op);
    expect_close(dgate_up, want, kBf16Rounding, shape.text());
  }
}

LIMR_TEST(swiglu_backward_is_the_derivative) {
  Random rng(3);
  const int64_t M = 2, F = 16, N = 3;
  auto gate_up = normal(rng, M * 2 * F);
  std::vector<bf16> identity(2 * F * 2 * F);  // so that the forward pass takes gate_up itself
  for (int64_t i = 0; i < 2 * F; ++i) identity[i * 2 * F + i] = f32_to_bf16(1);
  const auto one = pack(identity, 2 * F, 2 * F), down = pack(normal_bf16(rng, N * F), N, F);
  const auto dout = normal(rng, M * N);
  const auto loss = [&] {
    auto h = poisoned(M * F), out = poisoned(M * N);
    ref::swiglu_forward({.out = view(h.data(), M, F),
                         .gate_up = {},
                         .inp = view(gate_up.data(), M, 2 * F),
                         .weight = {one.data(), 2 * F, 2 * F}});
    ref::linear_forward({.out = view(out.data(), M, N),
                         .inp = view(h.data(), M, F),
                         .weight = {down.data(), N, F},
                         .bias = {},
                         .residual = {}});
    return dot(out, dout);
  };
  auto dgate_up = poisoned(M * 2 * F);
  ref::swiglu_backward({.dgate_up = view(dgate_up.data(), M, 2 * F),
                        .gate_up = view(gate_up.data(), M, 2 * F),
                        .dout = view(dout.data(), M, N),
                        .down = {down.data(), N, F}});
  // f32 outputs: 1e-6 over a step of 1/16, and (1/16)^4 / 30 of the fifth derivative
  expect_close(dgate_up, gradient(gate_up, 0x1p-4, loss), 1e-4);
}

LIMR_TEST(swiglu_saturates_without_overflow) {
  // gates of +-100 and +-3e38: silu is the gate itself or zero, its slope one or zero, never NaN
  const std::vector<float> gates{100, -100, 3e38f, -3e38f};
  std::vector<float> gate_up(2 * 16);
  for (int64_t f = 0; f < 16; ++f)
    gate_up[ref::gate_index(f)] = gates[size_t(f) % gates.size()], gate_up[ref::up_index(f)] = 0.5f;
  const auto saved = narrow(gate_up);
  const std::vector<bf16> dout{f32_to_bf16(1), 0};
  std::vector<bf16> dense(2 * 16);
  std::fill_n(dense.begin(), 16, f32_to_bf16(1));
  const auto down = pack(dense, 2, 16);
  for (const Setup& s : setups()) {
    auto dgate_up = poisoned<bf16>(32);
    swiglu_backward(s.ctx, {.dgate_up = view(dgate_up.data(), 1, 32),
                            .gate_up = view(saved.data(), 1, 32),
                            .dout = view(dout.data(), 1, 2),
                            .down = {down.data(), 2, 16}});
    for (int64_t f = 0; f < 16; ++f) {
      const bool positive = f % 2 == 0;
      expect_eq(std::abs(bf16_to_f32(dgate_up[ref::gate_index(f)])), positive ? 0.5f : 0.0f, cat(s.name, " f=", f));
      expect_eq(std::abs(bf16_to_f32(dgate_up[ref::up_index(f)])),
                positive ? bf16_to_f32(saved[ref::gate_index(f)]) : 0.0f, cat(s.name, " f=", f));
    }
  }
}

LIMR_TEST(swiglu_passes_nan_on) {
  const std::vector<bf16> inp{bf16(0x7fc0), f32_to_bf16(1)};
  const auto panels = pack(std::vector<bf16>(32 * 2, f32_to_bf16(0.5f)), 32, 2);
  for (const Setup& s : setups()) {
    std::vector<bf16> out(16);
    swiglu_forward(s.ctx, {.out = view(out.data(), 1, 16),
                           .gate_up = {},
                           .inp = view(inp.data(), 1, 2),
                           .weight = {panels.data(), 32, 2}});
    for (bf16 x : out) expect(std::isnan(bf16_to_f32(x)), s.name);
  }
}

LIMR_TEST(swiglu_names_the_view_that_disagrees) {
  const Context& ctx = setups().front().ctx;
  std::vector<bf16> data(64 * 64);
  SwigluForward forward{
      .out = view(data.data(), 2, 15), .gate_up = {}, .inp = view(data.data(), 2, 6), .weight = {data.data(), 32, 6}};
  const auto message = [&](auto&& fn) { return expect_throws(Code::kShape, fn).message(); };
  expect_eq(message([&] { swiglu_forward(ctx, forward); }), "swiglu_forward: out is BF16[2, 15], expected BF16[2, 16]");
  forward.weight.rows = 40;
  expect_eq(message([&] { swiglu_forward(ctx, forward); }),
            "swiglu_forward: the weight has 40 rows, expected a multiple of 32");
  expect_eq(message([&] {
              swiglu_backward(ctx, {.dgate_up = view(data.data(), 2, 32),
                                    .gate_up = view(data.data(), 2, 16),
                                    .dout = view(data.data(), 2, 8),
                                    .down = {data.data(), 8, 16}});
            }),
            "swiglu_backward: gate_up is BF16[2, 16], expected BF16[2, 32]");
  for (const auto& [N, F] : {std::pair(7, 16), std::pair(8, 24)})
    expect_eq(message([&] {
                swiglu_backward(ctx, {.dgate_up = view(data.data(), 2, 2 * F),
                                      .gate_up = view(data.data(), 2, 2 * F),
                                      .dout = view(data.data(), 2, N),
                                      .down = {data.data(), N, F}});
              }),
              cat("swiglu_backward: down is [", N, ", ", F, "], expected a multiple of 2 by a multiple of 16"));
}

}  // namespace
}  // namespace limr::test
