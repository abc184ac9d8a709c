#include "ops/ref/rmsnorm.h"

#include <algorithm>

#include "ops/fixture.h"

namespace limr::test {
namespace {

constexpr float kEps = 1e-6f;

// One lane and its neighbours, head and hidden sizes, an odd width, Qwen2-0.5B.
const std::vector<int64_t> kWidths{1, 2, 15, 16, 17, 48, 96, 123, 896};

LIMR_TEST(rmsnorm_forward_is_the_reference_everywhere) {
  Random rng(1);
  for (int64_t C : kWidths)
    for (int64_t N : {1, 3, 70}) {
      const std::string context = cat("N=", N, " C=", C);
      auto inp = normal_bf16(rng, N * C), weight = normal_bf16(rng, C);
      const auto [out, rstd] = everywhere(
          [&](const Context& ctx) {
            auto out = poisoned<bf16>(N * C);
            auto rstd = poisoned(N);
            rmsnorm_forward(ctx, {.out = view(out.data(), N, C),
                                  .rstd = view(rstd.data(), 1, N),
                                  .inp = view(inp.data(), N, C),
                                  .weight = view(weight.data(), 1, C),
                                  .eps = kEps});
            auto generated = poisoned<bf16>(N * C);
            rmsnorm_forward(ctx, {.out = view(generated.data(), N, C),
                                  .rstd = {},
                                  .inp = view(inp.data(), N, C),
                                  .weight = view(weight.data(), 1, C),
                                  .eps = kEps});
            expect_bits(generated, out, cat(context, " without rstd"));
            auto wide = poisoned<bf16>(N * (C + 3));
            View gaps = view(wide.data(), N, C + 3);
            gaps.cols = C;
            rmsnorm_forward(ctx, {.out = gaps,
                                  .rstd = {},
                                  .inp = view(inp.data(), N, C),
                                  .weight = view(weight.data(), 1, C),
                                  .eps = kEps});
            auto spread = poisoned<bf16>(N * (C + 3));
            for (int64_t n = 0; n < N; ++n) std::copy_n(&out[n * C], C, &spread[n * (C + 3)]);
            expect_bits(wide, spread, cat(context, " with gaps"));
            return std::tuple(out, rstd);
          },
          context);
      auto want = poisoned(N * C), want_rstd = poisoned(N);
      ref::rmsnorm_forward({.out = view(want.data(), N, C),
                            .rstd = view(want_rstd.data(), 1, N),
                            .inp = view(inp.data(), N, C),
                            .weight = view(weight.data(), 1, C),
                            .eps = kEps});
      expect_close(out, want, kBf16Rounding, context);
      expect_close(rstd, want_rstd, 1e-6, context);  // a sum in 16 lanes, a square root and a division, in f32
    }
}

LIMR_TEST(rmsnorm_backward_is_the_reference_everywhere) {
  Random rng(2);  // and eps = 0.1: the gradient along a single channel is all cancellation without it
  for (int64_t C : kWidths)
    for (int64_t N : {1, 64, 130}) {  // groups of 64 rows: one short, one whole, two and a part
      const std::string context = cat("N=", N, " C=", C);
      const auto inp = normal_bf16(rng, N * C), weight = normal_bf16(rng, C), dresidual = normal_bf16(rng, N * C);
      const auto dout = normal(rng, N * C), dweight_before = normal(rng, C);
      auto unused = poisoned(N * C), rstd = poisoned(N);
      ref::rmsnorm_forward({.out = view(unused.data(), N, C),
                            .rstd = view(rstd.data(), 1, N),
                            .inp = view(inp.data(), N, C),
                            .weight = view(weight.data(), 1, C),
                            .eps = 0.1f});
      for (bool residual : {false, true}) {
        const auto op = [&](View dinp, View dweight, View dres, void* scratch) {
          return RmsNormBackward{.dinp = dinp,
                                 .dweight = dweight,
                                 .dout = view(dout.data(), N, C),
                                 .dresidual = dres,
                                 .inp = view(inp.data(), N, C),
                                 .weight = view(weight.data(), 1, C),
                                 .rstd = view(rstd.data(), 1, N),
                                 .scratch = scratch};
        };
        const View dres = residual ? view(dresidual.data(), N, C) : View{};
        const auto [dinp, dweight] = everywhere(
            [&](const Context& ctx) {
              const Scratch scratch(rmsnorm_backward_scratch_bytes(N, C));
              auto dinp = poisoned<bf16>(N * C);
              auto dweight = dweight_before;
              rmsnorm_backward(ctx, op(view(dinp.data(), N, C), view(dweight.data(), 1, C), dres, scratch.data()));
              if (residual) {
                auto aliased = dresidual;
                auto again = dweight_before;
                const View v = view(aliased.data(), N, C);
                rmsnorm_backward(ctx, op(v, view(again.data(), 1, C), v, scratch.data()));
                expect_bits(aliased, dinp, cat(context, " dinp aliases dresidual"));
              }
              return std::tuple(dinp, dweight);
            },
            context);
        auto want = poisoned(N * C), want_dweight = dweight_before;
        ref::rmsnorm_backward(op(view(want.data(), N, C), view(want_dweight.data(), 1, C), dres, nullptr));
        expect_close(dinp, want, kBf16Rounding, context);
        expect_close(dweight, want_dweight, 1e-5, context);  // an f32 sum of up to 64 rows, then of groups
      }
    }
}

LIMR_TEST(rmsnorm_backward_is_the_derivative) {
  Random rng(3);
  const int64_t N = 3, C = 9;
  auto inp = normal(rng, N * C), weight = normal(rng, C), dout = normal(rng, N * C), dresidual = normal(rng, N * C);
  const auto loss = [&] {  // of the norm's output, and of the input that goes around it
    auto out = poisoned(N * C);
    ref::rmsnorm_forward({.out = view(out.data(), N, C),
                          .rstd = {},
                          .inp = view(inp.data(), N, C),
                          .weight = view(weight.data(), 1, C),
                          .eps = 1e-2f});
    return dot(out, dout) + dot(inp, dresidual);
  };
  auto unused = poisoned(N * C), rstd = poisoned(N), dinp = poisoned(N * C), dweight = normal(rng, C);
  const auto before = dweight;
  ref::rmsnorm_forward({.out = view(unused.data(), N, C),
                        .rstd = view(rstd.data(), 1, N),
                        .inp = view(inp.data(), N, C),
                        .weight = view(weight.data(), 1, C),
                        .eps = 1e-2f});
  ref::rmsnorm_backward({.dinp = view(dinp.data(), N, C),
                         .dweight = view(dweight.data(), 1, C),
                         .dout = view(dout.data(), N, C),
                         .dresidual = view(dresidual.data(), N, C),
                         .inp = view(inp.data(), N, C),
                         .weight = view(weight.data(), 1, C),
                         .rstd = view(rstd.data(), 1, N),
                         .scratch = nullptr});
  // f32 outputs: 6e-8 over a step of 1/16, and (1/16)^4 / 30 of the fifth derivative
  expect_close(dinp, gradient(inp, 0x1p-4, loss), 1e-4);
  auto want = gradient(weight, 0x1p-4, loss);
  for (int64_t c = 0; c < C; ++c) want[c] += before[c];
  expect_close(dweight, want, 1e-5);
}

LIMR_TEST(rmsnorm_of_no_rows_touches_nothing) {
  const auto weight = std::vector<bf16>(16, 0x3f80);
  for (const Setup& s : setups()) {
    bf16 none = 0;
    float rstd = 0;
    rmsnorm_forward(s.ctx, {.out = view(&none, 0, 16),
                            .rstd = view(&rstd, 1, 0),
                            .inp = view(&none, 0, 16),
                            .weight = view(weight.data(), 1, 16),
                            .eps = kEps});
    std::vector<float> dweight(16, 2.5f);
    expect_eq(rmsnorm_backward_scratch_bytes(0, 16), size_t(0));
    rmsnorm_backward(s.ctx, {.dinp = view(&none, 0, 16),
                             .dweight = view(dweight.data(), 1, 16),
                             .dout = view(&rstd, 0, 16),
                             .dresidual = {},
                             .inp = view(&none, 0, 16),
                             .weight = view(weight.data(), 1, 16),
                             .rstd = view(&rstd, 1, 0),
                             .scratch = nullptr});
    expect_eq(dweight, std::vector<float>(16, 2.5f), s.name);
  }
}

LIMR_TEST(rmsnorm_names_the_view_that_disagrees) {
  const Context& ctx = setups().front().ctx;
  std::vector<bf16> data(64);
  std::vector<float> f32(64);
  RmsNormForward forward{.out = view(data.data(), 2, 7),
                         .rstd = view(f32.data(), 1, 2),
                         .inp = view(data.data(), 2, 8),
                         .weight = view(data.data(), 1, 8),
                         .eps = kEps};
  expect_eq(expect_throws(Code::kShape, [&] { rmsnorm_forward(ctx, forward); }).message(),
            "rmsnorm_forward: out is BF16[2, 7], expected BF16[2, 8]");
  forward.out = view(data.data(), 2, 8);
  forward.rstd = view(f32.data(), 2, 1);
  expect_eq(expect_throws(Code::kShape, [&] { rmsnorm_forward(ctx, forward); }).message(),
            "rmsnorm_forward: rstd is F32[2, 1], expected F32[1, 2]");
  const RmsNormBackward backward{.dinp = view(data.data(), 2, 8),
                                 .dweight = view(f32.data(), 1, 9),
                                 .dout = view(f32.data(), 2, 8),
                                 .dresidual = {},
                                 .inp = view(data.data(), 2, 8),
                                 .weight = view(data.data(), 1, 8),
                                 .rstd = view(f32.data(), 1, 2),
                                 .scratch = f32.data()};
  expect_eq(expect_throws(Code::kShape, [&] { rmsnorm_backward(ctx, backward); }).message(),
            "rmsnorm_backward: dweight is F32[1, 9], expected F32[1, 8]");
}

}  // namespace
}  // namespace limr::test
