// Ops that treat every row by itself, or add rows up.
#include "fixture.h"
#include "ops/embedding.h"
#include "ops/ref/embedding.h"
#include "ops/ref/matmul.h"
#include "ops/ref/rmsnorm.h"
#include "ops/ref/value.h"
#include "ops/rmsnorm.h"
#include "ops/value.h"

namespace limr::test {
namespace {

constexpr float kEps = 1e-6f;

// Vectors of eight and their neighbours, an odd width, Qwen2-0.5B, and more than one step of the widest block.
std::vector<int64_t> widths() {
  std::vector<int64_t> out{1, 7, 8, 9, 96, 123, 264};
  if (!small()) out.insert(out.end(), {896, 4104});
  return out;
}

LIMR_TEST(cuda_rmsnorm_forward_is_the_reference) {
  Random rng(1);
  for (int64_t C : widths())
    for (int64_t N : {1, 3}) {
      const std::string context = cat("N=", N, " C=", C);
      const auto inp = normal_bf16(rng, N * C), weight = normal_bf16(rng, C);
      const DeviceArray x(inp);
      const DeviceArray w(weight);
      const auto [out, rstd] = on_every_schedule(
          [&] {
            const auto out = device_poisoned<bf16>(N * C);
            const auto rstd = device_poisoned<float>(N);
            rmsnorm_forward(gpu(), {.out = view(out.data(), N, C),
                                    .rstd = view(rstd.data(), 1, N),
                                    .inp = view(x.data(), N, C),
                                    .weight = view(w.data(), 1, C),
                                    .eps = kEps});
            const auto generated = device_poisoned<bf16>(N * C);
            rmsnorm_forward(gpu(), {.out = view(generated.data(), N, C),
                                    .rstd = {},
                                    .inp = view(x.data(), N, C),
                                    .weight = view(w.data(), 1, C),
                                    .eps = kEps});
            expect_bits(generated.host(), out.host(), cat(context, " without rstd"));
            return std::tuple(out.host(), rstd.host());
          },
          context);
      auto want = poisoned(N * C), want_rstd = poisoned(N);
      ref::rmsnorm_forward({.out = view(want.data(), N, C),
                            .rstd = view(want_rstd.data(), 1, N),
                            .inp = view(inp.data(), N, C),
                            .weight = view(weight.data(), 1, C),
                            .eps = kEps});
      expect_close(out, want, kBf16Rounding, context);
      expect_close(rstd, want_rstd, 1e-6, context);  // an f32 tree, a square root and a division
    }
}

LIMR_TEST(cuda_rmsnorm_backward_is_the_reference) {
  Random rng(2);
  for (int64_t C : widths())
    for (int64_t N : {1, 64, 130}) {  // groups of 64 rows: one short, one whole, two and a part
      if (N > 1 && C > 300) continue;
      const std::string context = cat("N=", N, " C=", C);
      const auto inp = normal_bf16(rng, N * C), weight = normal_bf16(rng, C), dresidual = normal_bf16(rng, N * C);
      const auto dout = normal(rng, N * C), before = normal(rng, C);
      auto unused = poisoned(N * C), rstd = poisoned(N);
      ref::rmsnorm_forward({.out = view(unused.data(), N, C),
                            .rstd = view(rstd.data(), 1, N),
                            .inp = view(inp.data(), N, C),
                            .weight = view(weight.data(), 1, C),
                            .eps = 0.1f});
      const DeviceArray x(inp);
      const DeviceArray w(weight);
      const DeviceArray r(rstd);
      const DeviceArray d(dout);
      for (bool residual : {false, true}) {
        const auto [dinp, dweight] = on_every_schedule(
            [&] {
              const auto scratch = device_scratch(rmsnorm_backward_scratch_bytes(N, C));
              const DeviceArray dinp(residual ? dresidual : poisoned<bf16>(N * C));  // aliases dresidual
              const DeviceArray dweight(before);
              rmsnorm_backward(gpu(), {.dinp = view(dinp.data(), N, C),
                                       .dweight = view(dweight.data(), 1, C),
                                       .dout = view(d.data(), N, C),
                                       .dresidual = residual ? view(dinp.data(), N, C) : View{},
                                       .inp = view(x.data(), N, C),
                                       .weight = view(w.data(), 1, C),
                                       .rstd = view(r.data(), 1, N),
                                       .scratch = scratch.data()});
              return std::tuple(dinp.host(), dweight.host());
            },
            context);
        auto want = poisoned(N * C), want_dweight = before;
        ref::rmsnorm_backward({.dinp = view(want.data(), N, C),
                               .dweight = view(want_dweight.data(), 1, C),
                               .dout = view(dout.data(), N, C),
                               .dresidual = residual ? view(dresidual.data(), N, C) : View{},
                               .inp = view(inp.data(), N, C),
                               .weight = view(weight.data(), 1, C),
                               .rstd = view(rstd.data(), 1, N),
                               .scratch = nullptr});
        expect_close(dinp, want, kBf16Rounding, context);
        expect_close(dweight, want_dweight, 1e-5, context);  // f32 sums of up to 64 rows, then of groups
      }
    }
}

LIMR_TEST(cuda_swiglu_is_the_reference) {
  Random rng(3);
  for (int64_t F : {16, 48})
    for (int64_t M : {1, 5}) {
      const int64_t K = 24, N = 2 * F, C = 40;
      const std::string context = cat("M=", M, " F=", F);
      const auto inp = normal_bf16(rng, M * K), weight = normal_bf16(rng, N * K, 0.2f);
      const auto dout = normal_bf16(rng, M * C), down = normal_bf16(rng, C * F, 0.2f);
      const DeviceArray x(inp);
      const DeviceArray w(padded(weight, N, K));
      const DeviceArray d(dout);
      const DeviceArray wd(padded(down, C, F));
      const auto [out, gate_up, generated, dgate_up] = on_every_schedule(
          [&] {
            const auto out = device_poisoned<bf16>(M * F), generated = device_poisoned<bf16>(M * F);
            const auto gate_up = device_poisoned<bf16>(M * N);
            const Target target = gpu().target();
            const auto scratch = device_scratch(
                std::max(swiglu_forward_scratch_bytes(target, M, F), swiglu_backward_scratch_bytes(target, M, F)));
            SwigluForward forward{.out = view(out.data(), M, F),
                                  .gate_up = view(gate_up.data(), M, N),
                                  .inp = view(x.data(), M, K),
                                  .weight = {w.data(), N, K},
                                  .scratch = scratch.data()};
            swiglu_forward(gpu(), forward);
            forward.out = view(generated.data(), M, F);
            forward.gate_up = {};
            swiglu_forward(gpu(), forward);
            const DeviceArray dgate_up(gate_up.host());  // aliases gate_up
            const View aliased = view(dgate_up.data(), M, N);
            swiglu_backward(gpu(), {.dgate_up = aliased,
                                    .gate_up = aliased,
                                    .dout = view(d.data(), M, C),
                                    .down = {wd.data(), C, F},
                                    .scratch = scratch.data()});
            return std::tuple(out.host(), gate_up.host(), generated.host(), dgate_up.host());
          },
          context);
      expect_bits(generated, out, context);
      auto want = poisoned(M * F), want_gate_up = poisoned(M * N), want_d = poisoned(M * N);
      const auto panels = pack(weight, N, K), down_panels = pack(down, C, F);
      ref::swiglu_forward({.out = view(want.data(), M, F),
                           .gate_up = view(want_gate_up.data(), M, N),
                           .inp = view(inp.data(), M, K),
                           .weight = {panels.data(), N, K}});
      expect_close(gate_up, want_gate_up, kBf16Rounding, context);
      expect_close(out, want, 4 * kBf16Unit, context);  // gates and ups are rounded to bf16 before they meet
      ref::swiglu_backward({.dgate_up = view(want_d.data(), M, N),
                            .gate_up = view(gate_up.data(), M, N),
                            .dout = view(dout.data(), M, C),
                            .down = {down_panels.data(), C, F}});
      expect_close(dgate_up, want_d, 2 * kBf16Unit, context);  // dh is rounded to bf16
    }
}

TokenRuns runs_of(const std::vector<int32_t>& tokens, std::vector<int32_t>& order, std::vector<int32_t>& begin) {
  order.resize(tokens.size());
  for (size_t i = 0; i < order.size(); ++i) order[i] = int32_t(i);
  std::stable_sort(order.begin(), order.end(), [&](int32_t a, int32_t b) { return tokens[a] < tokens[b]; });
  begin.clear();
  for (size_t i = 0; i < order.size(); ++i)
    if (i == 0 || tokens[order[i]] != tokens[order[i - 1]]) begin.push_back(int32_t(i));
  const auto count = int64_t(begin.size());
  begin.push_back(int32_t(order.size()));
  return {.order = nullptr, .begin = nullptr, .count = count};
}

LIMR_TEST(cuda_embedding_is_the_reference_to_the_bit) {
  Random rng(4);
  for (int64_t V : {1, 33, 100})
    for (int64_t C : {2, 18, 96, 200}) {
      const int64_t N = 50;
      const std::string context = cat("V=", V, " C=", C);
      const auto weight = normal_bf16(rng, V * C), dout = normal_bf16(rng, N * C);
      const auto before = normal(rng, V * C);
      const auto tokens = integers(rng, N, int32_t(V));
      std::vector<int32_t> order, begin;
      TokenRuns runs = runs_of(tokens, order, begin);
      const DeviceArray w(padded(weight, V, C));
      const DeviceArray t(tokens);
      const DeviceArray d(dout);
      const DeviceArray device_order(order);
      const DeviceArray device_begin(begin);
      runs.order = device_order.data(), runs.begin = device_begin.data();
      const auto [out, dweight] = on_every_schedule(
          [&] {
            const auto out = device_poisoned<bf16>(N * C);
            const DeviceArray dweight(padded(before, V, C));
            embedding_forward(gpu(), {.out = view(out.data(), N, C), .tokens = t.data(), .weight = {w.data(), V, C}});
            embedding_backward(gpu(), {.dweight = dweight.data(),
                                       .dout = view(d.data(), N, C),
                                       .tokens = t.data(),
                                       .vocab_size = V,
                                       .runs = runs});
            return std::tuple(out.host(), dweight.host());
          },
          context);
      auto want = poisoned<bf16>(N * C);
      const auto panels = pack(weight, V, C);
      ref::embedding_forward(
          {.out = view(want.data(), N, C), .tokens = tokens.data(), .weight = {panels.data(), V, C}});
      expect_bits(out, want, context);
      auto sums = before;  // in the order of n: the same f32 additions one by one
      for (int64_t n = 0; n < N; ++n)
        for (int64_t c = 0; c < C; ++c) sums[tokens[n] * C + c] += bf16_to_f32(dout[n * C + c]);
      expect_bits(dweight, padded(sums, V, C), context);
    }
}

LIMR_TEST(cuda_rows_are_gathered_and_scattered) {
  Random rng(5);
  const int64_t N = 20, R = 7;
  std::vector<int32_t> index(N);
  for (int64_t i = 0; i < N; ++i) index[i] = int32_t(i);
  std::shuffle(index.begin(), index.end(), rng);
  index.resize(R);
  const DeviceArray at(index);
  for (int64_t C : {1, 6, 8, 123}) {
    const auto rows = normal_bf16(rng, N * (C + 3));  // gaps between rows
    const DeviceArray inp(rows);
    const auto [out, back] = on_every_schedule(
        [&] {
          const auto out = device_poisoned<bf16>(R * C), back = device_poisoned<bf16>(N * C);
          View from = view(inp.data(), N, C);
          from.stride = C + 3;
          gather_rows(gpu(), {.out = view(out.data(), R, C), .inp = from, .index = at.data()});
          scatter_rows(gpu(), {.out = view(back.data(), N, C), .inp = view(out.data(), R, C), .index = at.data()});
          return std::tuple(out.host(), back.host());
        },
        cat("C=", C));
    auto want = poisoned<bf16>(R * C), want_back = poisoned<bf16>(N * C);
    for (int64_t r = 0; r < R; ++r)
      for (int64_t c = 0; c < C; ++c) want[r * C + c] = want_back[index[r] * C + c] = rows[index[r] * (C + 3) + c];
    expect_bits(out, want, cat("C=", C));
    expect_bits(back, want_back, cat("C=", C));
  }
}

LIMR_TEST(cuda_value_head_is_the_reference) {
  Random rng(6);
  for (int64_t C : {1, 8, 123, 264})
    for (int64_t N : {1, 5, 130}) {
      const std::string context = cat("N=", N, " C=", C);
      const auto inp = normal_bf16(rng, N * C), weight = normal_bf16(rng, C);
      const auto dvalues = normal(rng, N), before = normal(rng, C);
      const DeviceArray x(inp);
      const DeviceArray w(weight);
      const DeviceArray d(dvalues);
      const auto [values, dinp, dweight] = on_every_schedule(
          [&] {
            const auto values = device_poisoned<float>(N), dinp = device_poisoned<float>(N * C);
            const DeviceArray dweight(before);
            const auto scratch = device_scratch(value_backward_scratch_bytes(gpu().target(), N, C));
            value_forward(gpu(),
                          {.values = values.data(), .inp = view(x.data(), N, C), .weight = view(w.data(), 1, C)});
            value_backward(gpu(), {.dinp = view(dinp.data(), N, C),
                                   .dweight = view(dweight.data(), 1, C),
                                   .dvalues = d.data(),
                                   .inp = view(x.data(), N, C),
                                   .weight = view(w.data(), 1, C),
                                   .scratch = scratch.data()});
            return std::tuple(values.host(), dinp.host(), dweight.host());
          },
          context);
      auto want = poisoned(N), want_dinp = poisoned(N * C), want_dweight = before;
      ref::value_forward({.values = want.data(), .inp = view(inp.data(), N, C), .weight = view(weight.data(), 1, C)});
      ref::value_backward({.dinp = view(want_dinp.data(), N, C),
                           .dweight = view(want_dweight.data(), 1, C),
                           .dvalues = dvalues.data(),
                           .inp = view(inp.data(), N, C),
                           .weight = view(weight.data(), 1, C)});
      expect_close(values, want, 1e-5, context);  // an f32 sum of C products, which may cancel
      expect_close(dinp, want_dinp, 1e-7, context);
      expect_close(dweight, want_dweight, 1e-5, context);
    }
}

}  // namespace
}  // namespace limr::test
