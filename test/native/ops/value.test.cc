#include "ops/ref/value.h"

#include "ops/fixture.h"

namespace limr::test {
namespace {

const std::vector<int64_t> kWidths{1, 2, 15, 16, 17, 48, 96, 123, 896};

LIMR_TEST(value_head_is_the_reference_everywhere) {
  Random rng(1);
  for (int64_t C : kWidths)
    for (int64_t N : {1, 3, 130}) {
      const std::string context = cat("N=", N, " C=", C);
      const auto inp = normal_bf16(rng, N * C), weight = normal_bf16(rng, C);
      const auto dvalues = normal(rng, N), before = normal(rng, C);
      const ValueForward forward{.values = nullptr, .inp = view(inp.data(), N, C), .weight = view(weight.data(), 1, C)};
      const ValueBackward backward{.dinp = {},
                                   .dweight = {},
                                   .dvalues = dvalues.data(),
                                   .inp = view(inp.data(), N, C),
                                   .weight = view(weight.data(), 1, C)};
      const auto run = [&](auto&& value_forward, auto&& value_backward) {
        auto values = poisoned(N), dinp = poisoned(N * C), dweight = before;
        auto f = forward;
        f.values = values.data();
        value_forward(f);
        auto b = backward;
        b.dinp = view(dinp.data(), N, C);
        b.dweight = view(dweight.data(), 1, C);
        value_backward(b);
        return std::tuple(values, dinp, dweight);
      };
      const auto [values, dinp, dweight] = everywhere(
          [&](const Context& ctx) {
            return run([&](auto& op) { limr::value_forward(ctx, op); },
                       [&](auto& op) { limr::value_backward(ctx, op); });
          },
          context);
      const auto [want, want_dinp, want_dweight] = run(ref::value_forward, ref::value_backward);
      // f32 sums of up to 896 products; the scale is the root mean square, or of one row the value itself
      expect_close(values, want, 1e-5, context);
      expect_close(dinp, want_dinp, 1e-7, context);  // one product, rounded as the reference's
      expect_close(dweight, want_dweight, 1e-5, context);
    }
}

LIMR_TEST(value_backward_is_the_derivative) {
  Random rng(2);
  const int64_t N = 4, C = 7;
  auto inp = normal(rng, N * C), weight = normal(rng, C);
  const auto dvalues = normal(rng, N), before = normal(rng, C);
  const auto loss = [&] {
    auto values = poisoned(N);
    ref::value_forward({.values = values.data(), .inp = view(inp.data(), N, C), .weight = view(weight.data(), 1, C)});
    return dot(values, dvalues);
  };
  auto dinp = poisoned(N * C), dweight = before;
  ref::value_backward({.dinp = view(dinp.data(), N, C),
                       .dweight = view(dweight.data(), 1, C),
                       .dvalues = dvalues.data(),
                       .inp = view(inp.data(), N, C),
                       .weight = view(weight.data(), 1, C)});
  // linear, so only the rounding of f32 values over the step of 1 counts
  expect_close(dinp, gradient(inp, 1, loss), 1e-5);
  auto want = gradient(weight, 1, loss);
  for (int64_t c = 0; c < C; ++c) want[c] += before[c];
  expect_close(dweight, want, 1e-5);
}

LIMR_TEST(value_of_no_rows_touches_nothing) {
  const std::vector<bf16> weight(16, 0x3f80);
  for (const Setup& s : setups()) {
    bf16 none = 0;
    float value = 7;
    value_forward(s.ctx, {.values = &value, .inp = view(&none, 0, 16), .weight = view(weight.data(), 1, 16)});
    std::vector<float> dweight(16, 2.5f);
    value_backward(s.ctx, {.dinp = view(&value, 0, 16),
                           .dweight = view(dweight.data(), 1, 16),
                           .dvalues = &value,
                           .inp = view(&none, 0, 16),
                           .weight = view(weight.data(), 1, 16)});
    expect_eq(value, 7.0f, s.name);
    expect_eq(dweight, std::vector<float>(16, 2.5f), s.name);
  }
}

LIMR_TEST(value_names_the_view_that_disagrees) {
  const Context& ctx = setups().front().ctx;
  std::vector<bf16> data(64);
  std::vector<float> f32(64);
  expect_eq(expect_throws(
                Code::kShape,
                [&] {
                  value_forward(
                      ctx, {.values = f32.data(), .inp = view(data.data(), 2, 8), .weight = view(data.data(), 1, 9)});
                })
                .message(),
            "value_forward: weight is BF16[1, 9], expected BF16[1, 8]");
  expect_eq(expect_throws(Code::kShape,
                          [&] {
                            value_backward(ctx, {.dinp = view(f32.data(), 1, 8),
                                                 .dweight = view(f32.data(), 1, 8),
                                                 .dvalues = f32.data(),
                                                 .inp = view(data.data(), 2, 8),
                                                 .weight = view(data.data(), 1, 8)});
                          })
                .message(),
            "value_backward: dinp is F32[1, 8], expected F32[2, 8]");
}

}  // namespace
}  // namespace limr::test
