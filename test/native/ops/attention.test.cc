#include <cmath>

#include "ops/attention_fixture.h"

namespace limr::test {
namespace {

// Around the edges of pages of 32 keys.
const std::vector<int64_t> kContexts{1, 31, 2, 33, 32, 65, 64, 100};

// Every probability is rounded to bf16, and the result once more: 1.6e-3 each in the mean, together 2.2e-3. A single
// sum that cancels keeps the errors of its terms.
constexpr double kForwardMean = 2.5e-3, kForwardWorst = 4 * kBf16Rounding;
void expect_forward(const std::vector<bf16>& got, const std::vector<float>& want, const std::string& context) {
  const double error = relative_error(widen(got), want);
  expect(error < kForwardMean, cat(context, " relative error ", error));
  expect_close(got, want, kForwardWorst, context);
}
// log sum exp of f32 scores
constexpr double kLse = 2e-6;

void expect_reference(const World& world, const std::vector<World::Part>& parts) {
  const std::string heads = world.heads.text();
  const auto [out, lse] = everywhere(
      [&](const Context& ctx) {
        const auto a = attend(ctx, world, parts);
        return std::tuple(a.out, a.lse);
      },
      heads);
  const Meant want = meant(world, parts);
  expect_forward(out, want.out, heads);
  expect_close(lse, want.lse, kLse, heads);
}

LIMR_TEST(attention_forward_is_the_reference_everywhere) {
  for (const Heads& heads : head_shapes()) {
    const World world(heads, kContexts, 1, 2);
    expect_reference(world, world.whole());
  }
}

LIMR_TEST(attention_over_many_pages_is_the_reference_everywhere) {
  // the CPU adds the values of eight pages in one pass
  for (const Heads& heads : {Heads{7, 1, 16}, Heads{2, 2, 48}})
    expect_reference(World(heads, {300, 257, 256, 131}, 11, 12),
                     {{0, 300, 300}, {1, 1, 257}, {2, 40, 256}, {3, 131, 131}});
}

LIMR_TEST(attention_of_a_part_is_the_reference_everywhere) {
  for (const Heads& heads : head_shapes())
    expect_reference(World(heads, {100, 65, 33}, 3, 4), {{0, 40, 77}, {2, 1, 33}, {1, 3, 64}, {0, 1, 100}});
}

LIMR_TEST(attention_is_stable_for_extreme_scores) {
  // scores of +-2000 after scaling: a maximum that jumps from block to block, and probabilities that vanish
  const Heads heads{2, 1, 32};
  const World world(heads, {100}, 5, 6, [](Random& rng, int64_t n) { return normal_bf16(rng, n, 40); });
  const auto [out, lse] = everywhere(
      [&](const Context& ctx) {
        const auto a = attend(ctx, world, world.whole());
        return std::tuple(a.out, a.lse);
      },
      "");
  const Meant want = meant(world, world.whole());
  expect_close(lse, want.lse, kLse);
  // scores near 2000 carry an f32 error of 1e-4 each, so where two keys compete their weights differ as much
  expect_close(out, want.out, kForwardWorst + 1e-3);
}

LIMR_TEST(attention_passes_nan_on) {
  const Heads heads{2, 1, 16};
  World world(heads, {40, 3}, 7, 8);
  world.queries[0][39 * world.width() + 5] = 0x7fc0;  // the last token's first head
  for (const Setup& s : setups()) {
    const auto a = attend(s.ctx, world, world.whole());
    for (int64_t n = 0; n < 43; ++n)
      for (int64_t i = 0; i < world.width(); ++i)
        expect_eq(std::isnan(bf16_to_f32(a.out[n * world.width() + i])), n == 39 && i < heads.D,
                  cat(s.name, " n=", n, " i=", i));
    expect(std::isnan(a.lse[39]) && !std::isnan(a.lse[43 + 39]), s.name);
  }
}

LIMR_TEST(attention_of_no_tokens_touches_nothing) {
  for (const Setup& s : setups()) {
    bf16 none = 0x1234;
    float f32 = 7;
    const KvPages kv{&none, 1024, 1, 16};
    attention_forward(s.ctx, {.out = view(&none, 0, 16),
                              .lse = view(&f32, 1, 0),
                              .q = view(&none, 0, 16),
                              .kv = kv,
                              .sequences = nullptr,
                              .num_sequences = 0,
                              .scale = 1});
    attention_backward(s.ctx, {.dq = view(&f32, 0, 16),
                               .dk = view(&f32, 0, 16),
                               .dv = view(&f32, 0, 16),
                               .dout = view(&none, 0, 16),
                               .out = view(&none, 0, 16),
                               .q = view(&none, 0, 16),
                               .lse = view(&f32, 1, 0),
                               .kv = kv,
                               .sequences = nullptr,
                               .num_sequences = 0,
                               .scale = 1,
                               .scratch = nullptr});
    expect_eq(none, bf16(0x1234), s.name);
    expect_eq(f32, 7.0f, s.name);
  }
}

LIMR_TEST(attention_names_the_view_that_disagrees) {
  const Context& ctx = setups().front().ctx;
  std::vector<bf16> data(4096);
  std::vector<float> f32(4096);
  AttentionForward forward{.out = view(data.data(), 2, 32),
                           .lse = view(f32.data(), 2, 2),
                           .q = view(data.data(), 2, 64),
                           .kv = {data.data(), 2048, 2, 32},
                           .sequences = nullptr,
                           .num_sequences = 0,
                           .scale = 1};
  const auto message = [&](auto&& fn) { return expect_throws(Code::kShape, fn).message(); };
  expect_eq(message([&] { attention_forward(ctx, forward); }),
            "attention_forward: out is BF16[2, 32], expected BF16[2, 64]");
  forward.out = forward.q;
  forward.lse = view(f32.data(), 2, 3);
  expect_eq(message([&] { attention_forward(ctx, forward); }),
            "attention_forward: lse is F32[2, 3], expected F32[2, 2]");
  forward.lse.cols = 2;
  expect_eq(message([&] { attention_forward(ctx, forward); }), "attention_forward: lse has gaps between its rows");
  forward.kv.head_dim = 8;
  expect_eq(message([&] { attention_forward(ctx, forward); }),
            "attention_forward: head_dim is 8, expected a multiple of 16 up to 256");
  forward.kv = {data.data(), 2048, 3, 32};
  expect_eq(message([&] { attention_forward(ctx, forward); }),
            "attention_forward: 2 query heads over 3 kv heads, expected a multiple of at most 32");
  const int32_t page = 0;
  const AttentionSequence part{.begin = 0, .length = 1, .context = 2, .pages = &page};
  expect_eq(message([&] {
              attention_backward(ctx, {.dq = view(f32.data(), 1, 64),
                                       .dk = view(f32.data(), 1, 64),
                                       .dv = view(f32.data(), 1, 64),
                                       .dout = view(data.data(), 1, 64),
                                       .out = view(data.data(), 1, 64),
                                       .q = view(data.data(), 1, 64),
                                       .lse = view(f32.data(), 2, 1),
                                       .kv = {data.data(), 4096, 2, 32},
                                       .sequences = &part,
                                       .num_sequences = 1,
                                       .scale = 1,
                                       .scratch = f32.data()});
            }),
            "attention_backward: sequence 0 is a part, length 1 of 2, but not by whole pages of known rows");
}

}  // namespace
}  // namespace limr::test
