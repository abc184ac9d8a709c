#include "ops/ref/matmul.h"

#include <algorithm>

#include "ops/fixture.h"

namespace limr::test {
namespace {

struct Shape {
  int64_t M, N, K;
  std::string text() const { return cat("M=", M, " N=", N, " K=", K); }
};

// Around panels of 32 outputs, register tiles of 4 and 12 rows, one pair of inputs; K as in
// Qwen2-0.5B.
std::vector<Shape> shapes() {
  std::vector<Shape> out{{1, 1, 2},    {1, 32, 2},   {2, 31, 16},  {3, 33, 18},   {5, 100, 48},
                         {12, 64, 96}, {13, 40, 14}, {29, 2, 130}, {70, 129, 34}, {0, 33, 18}};
  // then more rows, pairs of inputs, of outputs and of tokens than a block of the product holds; and so many tokens and outputs that
  // a task of a gradient passes two panels at once, then the one that is left
  if (!small())
    out.insert(out.end(), {{200, 34, 1024},
                           {14, 129, 896},
                           {13, 40, 4864},
                           {1030, 33, 18},
                           {3, 2100, 34},
                           {2100, 34, 20},
                           {540, 380, 6},
                           {1100, 380, 26}});
  return out;
}

// f32 sums of K products, one after the other: rounding grows with sqrt(K), to 4e-6 of the root mean square at 4864.
constexpr double kF32Sum = 1e-5;

LIMR_TEST(linear_forward_is_the_reference_everywhere) {
  Random rng(1);
  for (const auto& shape : shapes()) {
    const auto [M, N, K] = shape;
    const auto inp = normal_bf16(rng, M * K), bias = normal_bf16(rng, N), residual = normal_bf16(rng, M * N);
    const auto panels = pack(normal_bf16(rng, N * K, 0.5f), N, K);
    for (int extras = 0; extras < 4; ++extras) {
      const std::string context = cat(shape.text(), extras & 1 ? " bias" : "", extras & 2 ? " residual" : "");
      LinearForward op{.out = {},
                       .inp = view(inp.data(), M, K),
                       .weight = {panels.data(), N, K},
                       .bias = extras & 1 ? view(bias.data(), 1, N) : View{},
                       .residual = extras & 2 ? view(residual.data(), M, N) : View{}};
      const auto [out, rounded] = everywhere(
          [&](const Context& ctx) {
            auto out = poisoned(M * N);
            auto rounded = poisoned<bf16>(M * N);
            auto o = op;
            o.out = view(rounded.data(), M, N);
            linear_forward(ctx, o);
            if (o.residual) {
              auto aliased = residual;
              o.out = o.residual = view(aliased.data(), M, N);
              linear_forward(ctx, o);
              expect_bits(aliased, rounded, cat(context, " out aliases residual"));
            }
            o = op;
            o.out = view(out.data(), M, N);
            linear_forward(ctx, o);
            return std::tuple(out, rounded);
          },
          context);
      auto want = poisoned(M * N);
      op.out = view(want.data(), M, N);
      ref::linear_forward(op);
      expect_close(out, want, kF32Sum, context);
      expect_bits(rounded, narrow(out), cat(context, " one rounding"));
    }
  }
}

LIMR_TEST(linear_backward_input_is_the_reference_everywhere) {
  Random rng(2);
  for (const auto& shape : shapes()) {
    const auto [M, N, K] = shape;
    const int64_t even = round_up(N, 2);
    auto dout = normal_bf16(rng, M * even);
    for (int64_t m = 0; m < M && even > N; ++m) dout[m * even + N] = 0;  // the pad column of an odd N
    const auto panels = pack(normal_bf16(rng, N * K, 0.5f), N, K);
    const auto before = normal(rng, M * K);
    LinearBackwardInput op{
        .dinp = {}, .dout = view(dout.data(), M, even), .weight = {panels.data(), N, K}, .accumulate = false};
    const auto [set, added, rounded] = everywhere(
        [&](const Context& ctx) {
          auto set = poisoned(M * K), added = before;
          auto rounded = poisoned<bf16>(M * K);
          auto o = op;
          o.dinp = view(set.data(), M, K);
          linear_backward_input(ctx, o);
          o.dinp = view(rounded.data(), M, K);
          linear_backward_input(ctx, o);
          o.dinp = view(added.data(), M, K);
          o.accumulate = true;
          linear_backward_input(ctx, o);
          return std::tuple(set, added, rounded);
        },
        shape.text());
    auto want = poisoned(M * K), want_added = before;
    op.dinp = view(want.data(), M, K);
    ref::linear_backward_input(op);
    op.dinp = view(want_added.data(), M, K);
    op.accumulate = true;
    ref::linear_backward_input(op);
    expect_close(set, want, kF32Sum, shape.text());
    expect_close(added, want_added, kF32Sum, cat(shape.text(), " accumulate"));
    expect_bits(rounded, narrow(set), cat(shape.text(), " one rounding"));
  }
}

LIMR_TEST(linear_backward_weight_is_the_reference_everywhere) {
  Random rng(3);
  for (const auto& shape : shapes()) {
    const auto [M, N, K] = shape;
    const auto dout = normal_bf16(rng, M * N), inp = normal_bf16(rng, M * K);
    const auto before = pack(normal(rng, N * K), N, K);
    const auto bias_before = normal(rng, N);
    const LinearBackwardWeight op{.dweight = nullptr,
                                  .dbias = {},
                                  .dout = view(dout.data(), M, N),
                                  .inp = view(inp.data(), M, K),
                                  .scratch = nullptr};
    const auto [dweight, dbias] = everywhere(
        [&](const Context& ctx) {
          const Scratch scratch(linear_backward_weight_scratch_bytes({}, M, N, K));
          auto dweight = before, dbias = bias_before, alone = before;
          auto o = op;
          o.scratch = scratch.data();
          o.dweight = alone.data();
          linear_backward_weight(ctx, o);
          o.dweight = dweight.data();
          o.dbias = view(dbias.data(), 1, N);
          linear_backward_weight(ctx, o);
          expect_bits(alone, dweight, cat(shape.text(), " without dbias"));
          return std::tuple(dweight, dbias);
        },
        shape.text());
    auto want = before, want_bias = bias_before;
    auto o = op;
    o.dweight = want.data();
    o.dbias = view(want_bias.data(), 1, N);
    ref::linear_backward_weight(o);
    expect_close(dweight, want, kF32Sum, shape.text());  // the padding of the last panel too: still zero
    expect_close(dbias, want_bias, kF32Sum, shape.text());
  }
}

LIMR_TEST(linear_backward_is_the_derivative) {
  Random rng(4);
  const int64_t M = 3, N = 5, K = 4;  // all linear: differences are exact up to the rounding of f32 outputs
  auto inp = normal(rng, M * K), bias = normal(rng, N);
  const auto dout = normal(rng, M * N);
  auto panels = pack(grid_bf16(rng, N * K), N, K);
  const auto loss = [&] {
    auto out = poisoned(M * N);
    ref::linear_forward({.out = view(out.data(), M, N),
                         .inp = view(inp.data(), M, K),
                         .weight = {panels.data(), N, K},
                         .bias = view(bias.data(), 1, N),
                         .residual = {}});
    return dot(out, dout);
  };
  auto dinp = normal(rng, M * K), dweight = pack(normal(rng, N * K), N, K), dbias = normal(rng, N);
  auto want_dinp = gradient(inp, 0.5, loss), want_dbias = gradient(bias, 0.5, loss);
  auto want_dweight = gradient(panels, 0x1p-5, loss);
  for (size_t i = 0; i < want_dinp.size(); ++i) want_dinp[i] += dinp[i];
  for (size_t i = 0; i < want_dbias.size(); ++i) want_dbias[i] += dbias[i];
  for (size_t i = 0; i < want_dweight.size(); ++i) want_dweight[i] += dweight[i];
  ref::linear_backward_input({.dinp = view(dinp.data(), M, K),
                              .dout = view(dout.data(), M, N),
                              .weight = {panels.data(), N, K},
                              .accumulate = true});
  ref::linear_backward_weight({.dweight = dweight.data(),
                               .dbias = view(dbias.data(), 1, N),
                               .dout = view(dout.data(), M, N),
                               .inp = view(inp.data(), M, K),
                               .scratch = nullptr});
  expect_close(dinp, want_dinp, 1e-5);
  expect_close(dbias, want_dbias, 1e-5);
  expect_close(dweight, want_dweight, 1e-4);  // 1e-6 over a step of 1/32
}

// Each product on the same rows with and without gaps between them, NaN in the gaps: the same bits, and the gaps stay.
LIMR_TEST(products_follow_strides) {
  Random rng(5);
  const int64_t M = 5, N = 64, K = 16, F = N / 2;
  const auto inp = normal_bf16(rng, M * K), wide_rows = normal_bf16(rng, M * N), narrow_rows = normal_bf16(rng, M * K);
  const auto panels = pack(normal_bf16(rng, N * K), N, K), down = pack(normal_bf16(rng, K * F), K, F);
  // What body(window) leaves: window(data, cols) is a view of a copy of the data, with gaps of that many elements.
  const auto run = [&](int64_t gap, auto&& body) {
    std::vector<std::pair<std::vector<bf16>, int64_t>> held;
    held.reserve(4);
    body([&](const std::vector<bf16>& rows, int64_t cols) {
      auto& [wide, width] = held.emplace_back(poisoned<bf16>(M * (cols + gap)), cols);
      for (int64_t m = 0; m < M; ++m) std::copy_n(&rows[size_t(m * cols)], cols, &wide[size_t(m * (cols + gap))]);
      View v = view(wide.data(), M, cols + gap);
      v.cols = cols;
      return v;
    });
    std::vector<std::vector<bf16>> left;
    for (const auto& [wide, cols] : held) {
      auto& rows = left.emplace_back(size_t(M * cols));
      for (int64_t m = 0; m < M; ++m) {
        std::copy_n(&wide[size_t(m * (cols + gap))], cols, &rows[size_t(m * cols)]);
        for (int64_t c = cols; c < cols + gap; ++c)
          expect(std::isnan(bf16_to_f32(wide[size_t(m * (cols + gap) + c)])), "a gap was written");
      }
    }
    return left;
  };
  for (const Setup& s : setups()) {
    const PackedWeight weight{panels.data(), N, K}, down_weight{down.data(), K, F};
    const auto scratch = std::make_unique<char[]>(linear_backward_weight_scratch_bytes({}, M, N, K));
    std::vector<std::vector<float>> gradients;
    const auto same = [&](const char* op, auto&& body) {
      const auto dense = run(0, body), gaps = run(3, body);
      for (size_t i = 0; i < dense.size(); ++i) expect_bits(gaps[i], dense[i], cat(s.name, " ", op, " view ", i));
    };
    same("linear_forward", [&](auto window) {
      linear_forward(s.ctx, {.out = window(poisoned<bf16>(M * N), N),
                             .inp = window(inp, K),
                             .weight = weight,
                             .bias = {},
                             .residual = window(wide_rows, N)});
    });
    same("swiglu_forward", [&](auto window) {
      swiglu_forward(s.ctx, {.out = window(poisoned<bf16>(M * F), F),
                             .gate_up = window(poisoned<bf16>(M * N), N),
                             .inp = window(inp, K),
                             .weight = weight});
    });
    same("linear_backward_input", [&](auto window) {
      linear_backward_input(s.ctx,
                            {.dinp = window(poisoned<bf16>(M * K), K), .dout = window(wide_rows, N), .weight = weight});
    });
    same("swiglu_backward", [&](auto window) {
      const View gate_up = window(wide_rows, N);
      swiglu_backward(s.ctx,
                      {.dgate_up = gate_up, .gate_up = gate_up, .dout = window(narrow_rows, K), .down = down_weight});
    });
    same("linear_backward_weight", [&](auto window) {
      auto& dweight = gradients.emplace_back(size_t(packed_elements(N, K)));
      linear_backward_weight(s.ctx, {.dweight = dweight.data(),
                                     .dbias = {},
                                     .dout = window(wide_rows, N),
                                     .inp = window(inp, K),
                                     .scratch = scratch.get()});
    });
    expect_bits(gradients[1], gradients[0], s.name);
  }
}

LIMR_TEST(matmul_names_the_view_that_disagrees) {
  const Context& ctx = setups().front().ctx;
  std::vector<bf16> data(64 * 64);
  std::vector<float> f32(64 * 64);
  const PackedWeight weight{data.data(), 8, 6};
  LinearForward forward{
      .out = view(f32.data(), 2, 8), .inp = view(data.data(), 2, 4), .weight = weight, .bias = {}, .residual = {}};
  const auto message = [&](auto&& fn) { return expect_throws(Code::kShape, fn).message(); };
  expect_eq(message([&] { linear_forward(ctx, forward); }), "linear_forward: inp is BF16[2, 4], expected BF16[2, 6]");
  forward.inp.cols = forward.inp.stride = 6;
  forward.bias = view(data.data(), 1, 9);
  expect_eq(message([&] { linear_forward(ctx, forward); }), "linear_forward: bias is BF16[1, 9], expected BF16[1, 8]");
  forward.weight.cols = 5;
  expect_eq(message([&] { linear_forward(ctx, forward); }),
            "linear_forward: the weight has 5 columns, expected an even number");
  LinearBackwardInput backward{
      .dinp = view(data.data(), 2, 6), .dout = view(data.data(), 2, 8), .weight = weight, .accumulate = true};
  expect_eq(message([&] { linear_backward_input(ctx, backward); }),
            "linear_backward_input: dinp is BF16[2, 6], expected F32[2, 6]");
  backward.weight.cols = 5;
  expect_eq(message([&] { linear_backward_input(ctx, backward); }),
            "linear_backward_input: the weight has 5 columns, expected an even number");
  backward.weight = {data.data(), 7, 6};
  backward.dout = view(data.data(), 2, 7);
  expect_eq(message([&] { linear_backward_input(ctx, backward); }),
            "linear_backward_input: dout is BF16[2, 7], expected BF16[2, 8]");
  expect_eq(message([&] {
              linear_backward_weight(ctx, {.dweight = f32.data(),
                                           .dbias = view(f32.data(), 1, 7),
                                           .dout = view(data.data(), 2, 8),
                                           .inp = view(data.data(), 2, 6),
                                           .scratch = f32.data()});
            }),
            "linear_backward_weight: dbias is F32[1, 7], expected F32[1, 8]");
}

}  // namespace
}  // namespace limr::test
