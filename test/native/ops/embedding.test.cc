#include "ops/ref/embedding.h"

#include "ops/fixture.h"

namespace limr::test {
namespace {

LIMR_TEST(embedding_forward_is_the_reference_everywhere) {
  Random rng(1);
  for (int64_t V : {1, 31, 32, 33, 100})
    for (int64_t C : {2, 16, 18, 96, 896})
      for (int64_t N : {1, 17, 40}) {
        const std::string context = cat("N=", N, " V=", V, " C=", C);
        const auto panels = pack(normal_bf16(rng, V * C), V, C);
        auto tokens = integers(rng, N, int32_t(V));
        tokens.back() = int32_t(V - 1);
        const auto [out] = everywhere(
            [&](const Context& ctx) {
              auto out = poisoned<bf16>(N * C);
              embedding_forward(
                  ctx, {.out = view(out.data(), N, C), .tokens = tokens.data(), .weight = {panels.data(), V, C}});
              return std::tuple(out);
            },
            context);
        auto want = poisoned<bf16>(N * C);
        ref::embedding_forward(
            {.out = view(want.data(), N, C), .tokens = tokens.data(), .weight = {panels.data(), V, C}});
        expect_bits(out, want, context);  // a copy rounds nothing
      }
}

LIMR_TEST(embedding_backward_is_the_reference_everywhere) {
  Random rng(2);
  for (int64_t V : {1, 33, 100})
    for (int64_t C : {2, 18, 96, 200}) {
      const int64_t N = 50;  // tokens repeat
      const std::string context = cat("V=", V, " C=", C);
      const auto tokens = integers(rng, N, int32_t(V));
      const auto dout = normal_bf16(rng, N * C);
      const auto before = pack(normal(rng, V * C), V, C);
      const auto [dweight] = everywhere(
          [&](const Context& ctx) {
            auto dweight = before;
            embedding_backward(
                ctx,
                {.dweight = dweight.data(), .dout = view(dout.data(), N, C), .tokens = tokens.data(), .vocab_size = V});
            return std::tuple(dweight);
          },
          context);
      auto want = before;
      ref::embedding_backward(
          {.dweight = want.data(), .dout = view(dout.data(), N, C), .tokens = tokens.data(), .vocab_size = V});
      expect_close(dweight, want, 2e-6, context);  // up to 50 f32 additions
      want = before;
      for (int64_t i = 0; i < N; ++i)  // in the order of n: the same f32 additions one by one
        for (int64_t c = 0; c < C; ++c) want[packed_index(tokens[i], c, C)] += bf16_to_f32(dout[i * C + c]);
      expect_bits(dweight, want, cat(context, " in order"));
    }
}

LIMR_TEST(embedding_backward_is_the_derivative) {
  Random rng(3);
  const int64_t V = 5, C = 4, N = 7;
  auto weight = pack(grid_bf16(rng, V * C), V, C);
  const auto tokens = integers(rng, N, int32_t(V));
  const auto dout = normal(rng, N * C);
  auto dweight = pack(normal(rng, V * C), V, C);
  auto want = gradient(weight, 0x1p-5, [&] {  // linear: a derivative by differences is exact
    auto out = poisoned(N * C);
    ref::embedding_forward({.out = view(out.data(), N, C), .tokens = tokens.data(), .weight = {weight.data(), V, C}});
    return dot(out, dout);
  });
  for (size_t i = 0; i < want.size(); ++i) want[i] += dweight[i];
  ref::embedding_backward(
      {.dweight = dweight.data(), .dout = view(dout.data(), N, C), .tokens = tokens.data(), .vocab_size = V});
  expect_close(dweight, want, 1e-6);
}

template <typename T>
void expect_gathered(const std::vector<T>& inp, DType dtype, int64_t N, int64_t C, const std::vector<int32_t>& index) {
  const int64_t R = int64_t(index.size());
  const View from = view(const_cast<T*>(inp.data()), dtype, N, C);
  const std::string context = cat(dtype_name(dtype), " R=", R);
  const auto [out] = everywhere(
      [&](const Context& ctx) {
        auto out = poisoned<T>(R * C);
        gather_rows(ctx, {.out = view(out.data(), dtype, R, C), .inp = from, .index = index.data()});
        return std::tuple(out);
      },
      context);
  auto want = poisoned<T>(R * C);
  ref::gather_rows({.out = view(want.data(), dtype, R, C), .inp = from, .index = index.data()});
  expect_bits(out, want, context);
  for (int64_t r = 0; r < R; ++r)
    for (int64_t c = 0; c < C; ++c) expect(out[r * C + c] == inp[index[r] * C + c], context);
}

LIMR_TEST(gather_rows_copies_rows_of_any_type) {
  Random rng(4);
  const int64_t N = 30, C = 37;
  for (int64_t R : {0, 1, 30, 200}) {
    const auto index = integers(rng, R, N);
    expect_gathered(normal(rng, N * C), DType::kF32, N, C, index);
    expect_gathered(normal_bf16(rng, N * C), DType::kBf16, N, C, index);
    expect_gathered(integers(rng, N * C, 1 << 30), DType::kI32, N, C, index);
  }
}

LIMR_TEST(gather_rows_follows_strides) {
  const std::vector<float> inp{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11};  // rows of 4, of which 2 are seen
  View from = view(inp.data(), 3, 4);
  from.cols = 2;
  std::vector<float> out(10, -1);
  View to = view(out.data(), 2, 5);
  to.cols = 2;
  const std::vector<int32_t> index{2, 0};
  gather_rows(setups().front().ctx, {.out = to, .inp = from, .index = index.data()});
  expect_eq(out, std::vector<float>{8, 9, -1, -1, -1, 0, 1, -1, -1, -1});
}

LIMR_TEST(scatter_rows_adds_up_rows_of_one_index) {
  Random rng(6);
  const int64_t N = 40, C = 37, R = 100;
  for (const std::vector<int32_t>& index : {integers(rng, R, 30), std::vector<int32_t>{7, 3, 39, 0}}) {
    const int64_t rows = int64_t(index.size());
    const auto inp = normal(rng, rows * C);
    const auto inp16 = normal_bf16(rng, rows * C);
    std::vector<float> want(size_t(N * C), -1), want16 = want;
    for (int64_t n = 0; n < N; ++n)
      for (int64_t c = 0; c < C; ++c) {
        float sum = 0, sum16 = 0;
        bool any = false;
        for (int64_t r = 0; r < rows; ++r)
          if (index[size_t(r)] == n)
            sum += inp[size_t(r * C + c)], sum16 += bf16_to_f32(inp16[size_t(r * C + c)]), any = true;
        if (any) want[size_t(n * C + c)] = sum, want16[size_t(n * C + c)] = bf16_to_f32(f32_to_bf16(sum16));
      }
    for (const Setup& s : setups()) {
      std::vector<float> out(size_t(N * C), -1);
      scatter_rows(s.ctx, {.out = view(out.data(), N, C), .inp = view(inp.data(), rows, C), .index = index.data()});
      expect_bits(out, want, s.name);
      std::vector<bf16> out16(size_t(N * C), f32_to_bf16(-1));
      scatter_rows(s.ctx, {.out = view(out16.data(), N, C), .inp = view(inp16.data(), rows, C), .index = index.data()});
      for (size_t i = 0; i < out16.size(); ++i) expect_eq(bf16_to_f32(out16[i]), want16[i], s.name);
    }
  }
}

LIMR_TEST(embedding_of_no_tokens_touches_nothing) {
  Random rng(5);
  const auto panels = pack(normal_bf16(rng, 8 * 16), 8, 16);
  for (const Setup& s : setups()) {
    bf16 none = 0;
    int32_t token = 0;
    embedding_forward(s.ctx, {.out = view(&none, 0, 16), .tokens = &token, .weight = {panels.data(), 8, 16}});
    auto dweight = normal(rng, 32 * 16);
    const auto before = dweight;
    embedding_backward(s.ctx,
                       {.dweight = dweight.data(), .dout = view(&none, 0, 16), .tokens = &token, .vocab_size = 8});
    expect_bits(dweight, before, s.name);
  }
}

LIMR_TEST(embedding_names_the_view_that_disagrees) {
  const Context& ctx = setups().front().ctx;
  std::vector<bf16> data(32 * 16);
  const std::vector<int32_t> tokens{0, 1};
  expect_eq(expect_throws(
                Code::kShape,
                [&] {
                  embedding_forward(
                      ctx, {.out = view(data.data(), 2, 14), .tokens = tokens.data(), .weight = {data.data(), 8, 16}});
                })
                .message(),
            "embedding_forward: out is BF16[2, 14], expected BF16[2, 16]");
  std::vector<float> f32(64);
  expect_eq(
      expect_throws(Code::kShape,
                    [&] {
                      gather_rows(
                          ctx, {.out = view(f32.data(), 2, 8), .inp = view(data.data(), 4, 8), .index = tokens.data()});
                    })
          .message(),
      "gather_rows: out is F32[2, 8], expected BF16[2, 8]");
}

}  // namespace
}  // namespace limr::test
