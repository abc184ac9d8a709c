// The order of sums that ops/matmul.h promises, on which true on-policy sampling rests.
#include <cmath>

#include "ops/fixture.h"

namespace limr::test {
namespace {

LIMR_TEST(a_row_of_linear_forward_depends_on_itself_alone) {
  Random rng(1);
  const int64_t most = 100, N = 133, K = small() ? 96 : 450;
  const auto inp = normal_bf16(rng, most * K), bias = normal_bf16(rng, N);
  const auto panels = pack(normal_bf16(rng, N * K), N, K), gate_up = pack(normal_bf16(rng, 160 * K, 0.05f), 160, K);
  const auto rows = [&](const Context& ctx, int64_t begin, int64_t M) {
    auto out = poisoned(M * N);
    auto h = poisoned<bf16>(M * 80);
    linear_forward(ctx, {.out = view(out.data(), M, N),
                         .inp = view(&inp[begin * K], M, K),
                         .weight = {panels.data(), N, K},
                         .bias = view(bias.data(), 1, N),
                         .residual = {}});
    swiglu_forward(ctx, {.out = view(h.data(), M, 80),
                         .gate_up = {},
                         .inp = view(&inp[begin * K], M, K),
                         .weight = {gate_up.data(), 160, K}});
    return std::pair(out, h);
  };
  std::vector<float> alone;
  std::vector<bf16> h_alone;
  for (int64_t m = 0; m < most; ++m) {
    const auto [out, h] = rows(setups().front().ctx, m, 1);
    alone.insert(alone.end(), out.begin(), out.end());
    h_alone.insert(h_alone.end(), h.begin(), h.end());
  }
  for (const Setup& s : setups())
    for (int64_t M : {1, 2, 3, 7, 12, 13, 64, 100})
      for (int64_t begin : {int64_t(0), (most - M) / 2, most - M}) {
        const std::string context = cat(s.name, " M=", M, " begin=", begin);
        const auto [out, h] = rows(s.ctx, begin, M);
        expect_bits(out, std::span(alone).subspan(begin * N, M * N), context);
        expect_bits(h, std::span(h_alone).subspan(begin * 80, M * 80), context);
      }
}

// What ops/matmul.h says a pair adds: the odd product first, each fused, denormals read and written as zero.
float dot2(float acc, bf16 a0, bf16 a1, bf16 b0, bf16 b1) {
  return std::fma(bf16_to_f32(a0), bf16_to_f32(b0), std::fma(bf16_to_f32(a1), bf16_to_f32(b1), acc));
}

bool same(float got, float want) {  // which NaN it is may differ
  return std::isnan(got) ? std::isnan(want) : std::bit_cast<uint32_t>(got) == std::bit_cast<uint32_t>(want);
}

// bf16 of every kind: any bits at all; near 1; with products near the smallest normal number, or the largest; special.
bf16 any_bf16(Random& rng) {
  static const bf16 special[] = {0x0000, 0x8000, 0x0001, 0x807f, 0x0080, 0x8080, 0x3f80,
                                 0xbf80, 0x7f7f, 0xff7f, 0x7f80, 0xff80, 0x7fc0, 0x7f81};
  const uint32_t bits = rng(), fraction = bits & 0x807f;
  switch (bits >> 16 & 7) {
    case 0:
      return special[(bits >> 24) % std::size(special)];
    case 1:
    case 2:
      return bf16(bits);
    case 3:  // a product of two lies around 2^-126
      return bf16(fraction | (62 + (bits >> 24) % 5) << 7);
    case 4:  // around 2^128
      return bf16(fraction | (189 + (bits >> 24) % 4) << 7);
    default:  // sums of comparable terms, with cancellation
      return bf16(fraction | (124 + (bits >> 24) % 6) << 7);
  }
}
float any_f32(Random& rng) {
  const uint32_t low = rng() & 0xffff, kind = rng() % 4;
  return std::bit_cast<float>(uint32_t(any_bf16(rng)) << 16 | (kind == 0 ? 0 : low));
}

LIMR_TEST(a_pair_is_two_fused_multiply_adds_odd_first) {
  Random rng(2);
  const int64_t M = 62, K = 514;  // 32 thousand accumulators at once, tails of tiles and panels included
  int64_t cases = 0;
  for (int round = 0; round < (small() ? 2 : 100); ++round) {
    std::vector<bf16> dout(M * 2), weight(2 * K);
    std::vector<float> before(M * K);
    for (bf16& x : dout) x = any_bf16(rng);
    for (bf16& x : weight) x = any_bf16(rng);
    for (float& x : before) x = any_f32(rng);
    auto want = poisoned(M * K), want_from_zero = poisoned(M * K);
    {
      const FlushDenormals flush;
      for (int64_t m = 0; m < M; ++m)
        for (int64_t k = 0; k < K; ++k) {
          const bf16 a0 = dout[2 * m], a1 = dout[2 * m + 1], b0 = weight[k], b1 = weight[K + k];
          want[m * K + k] = dot2(before[m * K + k], a0, a1, b0, b1);
          want_from_zero[m * K + k] = dot2(0, a0, a1, b0, b1);
        }
    }
    const auto panels = pack(weight, 2, K);
    std::vector<bf16> columns(K * 2);  // the same pairs as a weight [K, 2], for the forward pass
    for (int64_t k = 0; k < K; ++k) columns[2 * k] = weight[k], columns[2 * k + 1] = weight[K + k];
    const auto column_panels = pack(columns, K, 2);
    for (size_t i = 0; i < setups().size(); i += 3) {  // one thread count an instruction set
      const Setup& s = setups()[i];
      auto got = before, from_zero = poisoned(M * K);
      linear_backward_input(s.ctx, {.dinp = view(got.data(), M, K),
                                    .dout = view(dout.data(), M, 2),
                                    .weight = {panels.data(), 2, K},
                                    .accumulate = true});
      linear_forward(s.ctx, {.out = view(from_zero.data(), M, K),
                             .inp = view(dout.data(), M, 2),
                             .weight = {column_panels.data(), K, 2},
                             .bias = {},
                             .residual = {}});
      for (int64_t j = 0; j < M * K; ++j) {
        const auto context = [&](float start, float g, float w) {
          const int64_t m = j / K, k = j % K;
          return cat(s.name, " round=", round, " ", start, " + ", bf16_to_f32(dout[2 * m + 1]), " * ",
                     bf16_to_f32(weight[K + k]), " + ", bf16_to_f32(dout[2 * m]), " * ", bf16_to_f32(weight[k]),
                     " got ", g, " want ", w);
        };
        if (!same(got[j], want[j])) expect(false, context(before[j], got[j], want[j]));
        if (!same(from_zero[j], want_from_zero[j])) expect(false, context(0, from_zero[j], want_from_zero[j]));
      }
    }
    cases += M * K;
  }
  expect(small() || cases > 3'000'000);
}

LIMR_TEST(a_sum_takes_its_pairs_in_order) {
  // K = 6 with terms that cancel: any other order of the six products, or a product rounded before its addition, shows
  Random rng(3);
  const int64_t N = 32, K = 6;
  const int cases = small() ? 20 : 400;
  for (int i = 0; i < cases; ++i) {
    std::vector<bf16> inp(K), weight(N * K);
    for (bf16& x : inp) x = bf16((rng() & 0x807f) | (120 + rng() % 15) << 7);
    for (bf16& x : weight) x = bf16((rng() & 0x807f) | (120 + rng() % 15) << 7);
    const auto panels = pack(weight, N, K);
    auto want = poisoned(N);
    for (int64_t n = 0; n < N; ++n) {
      want[n] = 0;
      for (int64_t k = 0; k < K; k += 2)
        want[n] = dot2(want[n], inp[k], inp[k + 1], weight[n * K + k], weight[n * K + k + 1]);
    }
    for (const Setup& s : setups()) {
      auto out = poisoned(N);
      linear_forward(s.ctx, {.out = view(out.data(), 1, N),
                             .inp = view(inp.data(), 1, K),
                             .weight = {panels.data(), N, K},
                             .bias = {},
                             .residual = {}});
      expect_bits(out, want, cat(s.name, " case ", i));
    }
  }
}

LIMR_TEST(packing_is_a_bijection_onto_panels) {
  for (int64_t rows : {1, 31, 32, 33, 100})
    for (int64_t cols : {2, 16, 50}) {
      std::vector<int> hits(packed_elements(rows, cols));
      for (int64_t r = 0; r < round_up(rows, kPanelRows); ++r)
        for (int64_t c = 0; c < cols; ++c) ++hits.at(packed_index(r, c, cols));
      expect_eq(hits, std::vector<int>(hits.size(), 1), cat("rows=", rows, " cols=", cols));
    }
  // by hand, in a weight of 4 columns: row 33 col 3 is panel 1, pair 1, row 1, odd
  expect_eq(packed_index(33, 3, 4), int64_t(32 * 4 + 1 * 64 + 1 * 2 + 1));
}

}  // namespace
}  // namespace limr::test
