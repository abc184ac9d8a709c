#include "ops/ref/rope.h"

#include <algorithm>
#include <cmath>

#include "ops/fixture.h"

namespace limr::test {
namespace {

struct Shape {
  int64_t H, K, D;
  bool norm;
  std::string text() const { return cat("H=", H, " K=", K, " D=", D, norm ? " norm" : ""); }
};
const std::vector<Shape> kShapes{
    {2, 1, 16, false}, {4, 2, 32, true}, {7, 1, 64, false}, {2, 2, 128, true}, {3, 3, 48, true}};

// cos and sin of position * 10000^(-2i/D)
struct Angles {
  std::vector<float> cos, sin;
  RopeTable table;
  Angles(int64_t positions, int64_t D) : cos(positions * (D / 2)), sin(cos.size()) {
    for (int64_t p = 0; p < positions; ++p)
      for (int64_t i = 0; i < D / 2; ++i) {
        const double angle = double(p) * std::pow(10000.0, -2.0 * double(i) / double(D));
        cos[p * (D / 2) + i] = float(std::cos(angle));
        sin[p * (D / 2) + i] = float(std::sin(angle));
      }
    table = {cos.data(), sin.data(), positions};
  }
};

// Tokens of three sequences: from slot 0, odd in number; from the middle of a page, even; and a single one.
struct Tokens {
  std::vector<int32_t> positions;
  std::vector<int64_t> slots;
  static constexpr int64_t kPages = 6;
  Tokens() {
    add(0, 37, {3, 1});
    add(21, 28, {5, 0});  // tokens 21 .. 48 of a sequence whose first are cached already
    add(32, 1, {4, 2});
  }
  void add(int32_t first, int32_t count, std::vector<int64_t> pages) {
    for (int32_t p = first; p < first + count; ++p) {
      positions.push_back(p);
      slots.push_back(pages[p / kPageKeys] * kPageKeys + p % kPageKeys);
    }
  }
  int64_t size() const { return int64_t(slots.size()); }
};

struct Norms {
  std::vector<bf16> q, k;
  Norms(Random& rng, int64_t D) : q(normal_bf16(rng, D)), k(normal_bf16(rng, D)) {}
  HeadNorm of(bool used) const { return used ? HeadNorm{q.data(), k.data(), 1e-3f} : HeadNorm{}; }
};

LIMR_TEST(rope_forward_is_the_reference_everywhere) {
  Random rng(1);
  const Tokens tokens;
  for (const auto& shape : kShapes) {
    const auto [H, K, D, norm] = shape;
    const int64_t N = tokens.size(), width = (H + 2 * K) * D;
    const Angles angles(64, D);
    const Norms norms(rng, D);
    const auto qkv = normal(rng, N * width, 3);
    const int64_t page = 2 * kPageKeys * K * D + 24;  // another layer's elements lie between pages
    const auto op = [&](View q, std::vector<bf16>& cache) {
      return RopeForward{.q = q,
                         .kv = {cache.data(), page, K, D},
                         .qkv = view(qkv.data(), N, width),
                         .positions = tokens.positions.data(),
                         .slots = tokens.slots.data(),
                         .rope = angles.table,
                         .norm = norms.of(norm)};
    };
    const auto [q, cache] = everywhere(
        [&](const Context& ctx) {
          auto q = poisoned<bf16>(N * H * D), cache = poisoned<bf16>(Tokens::kPages * page);
          rope_forward(ctx, op(view(q.data(), N, H * D), cache));
          return std::tuple(q, cache);
        },
        shape.text());
    auto want = poisoned(N * H * D);
    auto want_cache = poisoned<bf16>(Tokens::kPages * page);
    ref::rope_forward(op(view(want.data(), N, H * D), want_cache));
    expect_close(q, want, kBf16Rounding, shape.text());
    auto got_cache = cache;
    for (size_t i = 0; i < got_cache.size(); ++i)  // what was no token's is NaN still, on both sides
      if (want_cache[i] == 0x7fc0 && got_cache[i] == 0x7fc0) got_cache[i] = want_cache[i] = 0;
    expect_close(got_cache, want_cache, kBf16Unit, shape.text());
  }
}

LIMR_TEST(keys_are_rotated_as_queries_are_and_values_copied) {
  Random rng(2);
  const Tokens tokens;
  const int64_t N = tokens.size(), H = 2, D = 32, width = 3 * H * D;
  const Angles angles(64, D);
  Norms norms(rng, D);
  norms.k = norms.q;
  auto qkv = normal(rng, N * width);
  for (int64_t n = 0; n < N; ++n) std::copy_n(&qkv[n * width], H * D, &qkv[n * width + H * D]);  // k = q
  for (const Setup& s : setups()) {
    auto q = poisoned<bf16>(N * H * D), cache = poisoned<bf16>(Tokens::kPages * 2 * kPageKeys * H * D);
    const KvPages kv{cache.data(), 2 * kPageKeys * H * D, H, D};
    rope_forward(s.ctx, {.q = view(q.data(), N, H * D),
                         .kv = kv,
                         .qkv = view(qkv.data(), N, width),
                         .positions = tokens.positions.data(),
                         .slots = tokens.slots.data(),
                         .rope = angles.table,
                         .norm = norms.of(true)});
    for (int64_t n = 0; n < N; ++n)
      for (int64_t h = 0; h < H; ++h)
        for (int64_t d = 0; d < D; ++d) {
          const std::string context = cat(s.name, " n=", n, " h=", h, " d=", d);
          expect_eq(ref::key_at(kv, tokens.slots[n], h, d), q[(n * H + h) * D + d], context);
          expect_eq(ref::value_at(kv, tokens.slots[n], h, d), f32_to_bf16(qkv[n * width + (2 * H + h) * D + d]),
                    context);
        }
  }
}

LIMR_TEST(the_value_after_the_last_even_slot_is_zero_until_it_is_written) {
  Random rng(3);
  const int64_t K = 2, D = 16, width = 3 * K * D;
  const Angles angles(64, D);
  const auto qkv = normal(rng, 3 * width);
  for (const Setup& s : setups()) {
    auto q = poisoned<bf16>(3 * K * D), cache = poisoned<bf16>(2 * kPageKeys * K * D);
    const KvPages kv{cache.data(), 2 * kPageKeys * K * D, K, D};
    const auto write = [&](std::vector<int64_t> slots) {
      const std::vector<int32_t> positions(slots.begin(), slots.end());
      const int64_t N = int64_t(slots.size());
      rope_forward(s.ctx, {.q = view(q.data(), N, K * D),
                           .kv = kv,
                           .qkv = view(qkv.data(), N, width),
                           .positions = positions.data(),
                           .slots = slots.data(),
                           .rope = angles.table,
                           .norm = {}});
    };
    const auto value = [&](int64_t slot) { return ref::value_at(kv, slot, 1, 3); };
    write({0, 1, 2});
    expect_eq(value(3), bf16(0), s.name);
    expect_eq(value(4), bf16(0x7fc0), s.name);
    write({3});  // decode: the other of the pair stays
    expect_eq(value(2), f32_to_bf16(qkv[2 * width + 2 * K * D + D + 3]), s.name);
    expect_eq(value(3), f32_to_bf16(qkv[2 * K * D + D + 3]), s.name);
    write({4});
    expect_eq(value(5), bf16(0), s.name);
    write({31});  // the last of a page has no neighbour
    expect_eq(value(30), bf16(0x7fc0), s.name);
  }
}

LIMR_TEST(rope_backward_is_the_reference_everywhere) {
  Random rng(4);
  for (const auto& shape : kShapes)
    for (int64_t N : {1, 64, 131}) {  // groups of 64 rows
      const auto [H, K, D, norm] = shape;
      const std::string context = cat(shape.text(), " N=", N);
      const int64_t width = (H + 2 * K) * D;
      const Angles angles(64, D);
      const Norms norms(rng, D);
      const auto dq = normal(rng, N * H * D), dk = normal(rng, N * K * D), dv = normal(rng, N * K * D);
      const auto qkv = normal(rng, N * width, 3), q_before = normal(rng, D), k_before = normal(rng, D);
      const auto positions = integers(rng, N, 64);
      const auto op = [&](View dqkv, std::vector<float>& dq_norm, std::vector<float>& dk_norm, void* scratch) {
        return RopeBackward{.dqkv = dqkv,
                            .dq = view(dq.data(), N, H * D),
                            .dk = view(dk.data(), N, K * D),
                            .dv = view(dv.data(), N, K * D),
                            .qkv = norm ? view(qkv.data(), N, width) : View{},
                            .dq_norm = norm ? view(dq_norm.data(), 1, D) : View{},
                            .dk_norm = norm ? view(dk_norm.data(), 1, D) : View{},
                            .positions = positions.data(),
                            .rope = angles.table,
                            .norm = norms.of(norm),
                            .num_heads = H,
                            .num_kv_heads = K,
                            .head_dim = D,
                            .scratch = scratch};
      };
      const auto [dqkv, dq_norm, dk_norm] = everywhere(
          [&](const Context& ctx) {
            const Scratch scratch(rope_backward_scratch_bytes(N, D));
            auto dqkv = poisoned<bf16>(N * width);
            auto dq_norm = q_before, dk_norm = k_before;
            rope_backward(ctx, op(view(dqkv.data(), N, width), dq_norm, dk_norm, scratch.data()));
            return std::tuple(dqkv, dq_norm, dk_norm);
          },
          context);
      auto want = poisoned(N * width), want_q = q_before, want_k = k_before;
      ref::rope_backward(op(view(want.data(), N, width), want_q, want_k, nullptr));
      expect_close(dqkv, want, kBf16Rounding, context);
      expect_close(dq_norm, want_q, 1e-5, context);  // f32 sums of up to 64 rows times heads
      expect_close(dk_norm, want_k, 1e-5, context);
    }
}

LIMR_TEST(rope_backward_flushes_denormals_of_the_norms_gradients) {
  const int64_t D = 32, N = 3;
  const Angles angles(1, D);
  const std::vector<float> zero(N * 3 * D);
  const std::vector<bf16> weight(D, 0x3f80);
  const std::vector<int32_t> positions(N, 0);
  for (const Setup& s : setups()) {
    auto dqkv = poisoned<bf16>(N * 3 * D);
    std::vector<float> dnorm(2 * D, 1e-40f);
    const Scratch scratch(rope_backward_scratch_bytes(N, D));
    rope_backward(s.ctx, {.dqkv = view(dqkv.data(), N, 3 * D),
                          .dq = view(zero.data(), N, D),
                          .dk = view(zero.data(), N, D),
                          .dv = view(zero.data(), N, D),
                          .qkv = view(zero.data(), N, 3 * D),
                          .dq_norm = view(dnorm.data(), 1, D),
                          .dk_norm = view(&dnorm[D], 1, D),
                          .positions = positions.data(),
                          .rope = angles.table,
                          .norm = {weight.data(), weight.data(), 1e-6f},
                          .num_heads = 1,
                          .num_kv_heads = 1,
                          .head_dim = D,
                          .scratch = scratch.data()});
    expect_eq(dnorm, std::vector<float>(2 * D), s.name);
  }
}

// The reference's queries and keys are the same function of their own columns, so that queries, which a view lets be
// f32, stand for both: a row of H + K query heads with one norm each time.
LIMR_TEST(rope_backward_is_the_derivative) {
  Random rng(5);
  const int64_t N = 2, H = 2, D = 16, width = (H + 2) * D;
  const Angles angles(8, D);
  Norms norms(rng, D);
  norms.q = grid_bf16(rng, D), norms.k = grid_bf16(rng, D);
  const std::vector<int32_t> positions{5, 3};
  const std::vector<int64_t> slots{0, 1};
  auto qkv = normal(rng, N * width);
  const auto dq = normal(rng, N * H * D), dk = normal(rng, N * D), dv = normal(rng, N * D);
  std::vector<bf16> cache(2 * kPageKeys * D);
  // rows of `heads` heads through the reference, as queries; two more heads for keys and values follow
  const auto rotated = [&](const std::vector<float>& x, int64_t heads, const bf16* norm) {
    std::vector<float> y = poisoned(N * heads * D), padded(N * (heads + 2) * D, 1.0f);
    for (int64_t n = 0; n < N; ++n) std::copy_n(&x[n * heads * D], heads * D, &padded[n * (heads + 2) * D]);
    ref::rope_forward({.q = view(y.data(), N, heads * D),
                       .kv = {cache.data(), 2 * kPageKeys * D, 1, D},
                       .qkv = view(padded.data(), N, (heads + 2) * D),
                       .positions = positions.data(),
                       .slots = slots.data(),
                       .rope = angles.table,
                       .norm = {norm, norm, 1e-3f}});
    return y;
  };
  const auto columns = [&](int64_t begin, int64_t count) {
    std::vector<float> out;
    for (int64_t n = 0; n < N; ++n) out.insert(out.end(), &qkv[n * width + begin], &qkv[n * width + begin + count]);
    return out;
  };
  for (bool norm : {false, true}) {
    const auto loss = [&] {
      return dot(rotated(columns(0, H * D), H, norm ? norms.q.data() : nullptr), dq) +
             dot(rotated(columns(H * D, D), 1, norm ? norms.k.data() : nullptr), dk) + dot(columns((H + 1) * D, D), dv);
    };
    auto dqkv = poisoned(N * width), dq_norm = normal(rng, D), dk_norm = normal(rng, D);
    auto want = gradient(qkv, 0x1p-4, loss);
    auto want_q = gradient(norms.q, 0x1p-5, loss), want_k = gradient(norms.k, 0x1p-5, loss);
    for (int64_t d = 0; d < D; ++d) want_q[d] += dq_norm[d], want_k[d] += dk_norm[d];
    ref::rope_backward({.dqkv = view(dqkv.data(), N, width),
                        .dq = view(dq.data(), N, H * D),
                        .dk = view(dk.data(), N, D),
                        .dv = view(dv.data(), N, D),
                        .qkv = view(qkv.data(), N, width),
                        .dq_norm = norm ? view(dq_norm.data(), 1, D) : View{},
                        .dk_norm = norm ? view(dk_norm.data(), 1, D) : View{},
                        .positions = positions.data(),
                        .rope = angles.table,
                        .norm = norm ? norms.of(true) : HeadNorm{},
                        .num_heads = H,
                        .num_kv_heads = 1,
                        .head_dim = D,
                        .scratch = nullptr});
    // f32 outputs: 1e-6 over a step of 1/16 or 1/32, and (1/16)^4 / 30 of the fifth derivative
    expect_close(dqkv, want, 1e-4, cat("norm=", norm));
    if (!norm) continue;
    expect_close(dq_norm, want_q, 1e-4);
    expect_close(dk_norm, want_k, 1e-4);
  }
}

LIMR_TEST(rope_of_no_rows_touches_nothing) {
  const int64_t D = 16;
  const Angles angles(1, D);
  for (const Setup& s : setups()) {
    bf16 none = 0;
    float f32 = 0;
    auto cache = poisoned<bf16>(2 * kPageKeys * D);
    rope_forward(s.ctx, {.q = view(&none, 0, D),
                         .kv = {cache.data(), 2 * kPageKeys * D, 1, D},
                         .qkv = view(&f32, 0, 3 * D),
                         .positions = nullptr,
                         .slots = nullptr,
                         .rope = angles.table,
                         .norm = {}});
    expect_bits(cache, poisoned<bf16>(2 * kPageKeys * D), s.name);
    std::vector<bf16> weight(D, 0x3f80);
    std::vector<float> dnorm(2 * D, 2.5f);
    rope_backward(s.ctx, {.dqkv = view(&none, 0, 3 * D),
                          .dq = view(&f32, 0, D),
                          .dk = view(&f32, 0, D),
                          .dv = view(&f32, 0, D),
                          .qkv = view(&f32, 0, 3 * D),
                          .dq_norm = view(dnorm.data(), 1, D),
                          .dk_norm = view(&dnorm[D], 1, D),
                          .positions = nullptr,
                          .rope = angles.table,
                          .norm = {weight.data(), weight.data(), 1e-6f},
                          .num_heads = 1,
                          .num_kv_heads = 1,
                          .head_dim = D,
                          .scratch = nullptr});
    expect_eq(dnorm, std::vector<float>(2 * D, 2.5f), s.name);
  }
}

LIMR_TEST(rope_names_the_view_that_disagrees) {
  const Context& ctx = setups().front().ctx;
  std::vector<bf16> data(4096);
  std::vector<float> f32(4096);
  RopeForward forward{.q = view(data.data(), 2, 16),
                      .kv = {data.data(), 1024, 1, 16},
                      .qkv = view(f32.data(), 2, 64),
                      .positions = nullptr,
                      .slots = nullptr,
                      .rope = {},
                      .norm = {}};
  const auto message = [&](auto&& fn) { return expect_throws(Code::kShape, fn).message(); };
  expect_eq(message([&] { rope_forward(ctx, forward); }), "rope_forward: q is BF16[2, 16], expected BF16[2, 32]");
  forward.kv.head_dim = 24;
  expect_eq(message([&] { rope_forward(ctx, forward); }),
            "rope_forward: head_dim is 24, expected a multiple of 16 up to 256");
  expect_eq(message([&] {
              rope_backward(ctx, {.dqkv = view(data.data(), 2, 48),
                                  .dq = view(f32.data(), 2, 16),
                                  .dk = view(f32.data(), 2, 32),
                                  .dv = view(f32.data(), 2, 16),
                                  .qkv = {},
                                  .dq_norm = {},
                                  .dk_norm = {},
                                  .positions = nullptr,
                                  .rope = {},
                                  .norm = {},
                                  .num_heads = 1,
                                  .num_kv_heads = 1,
                                  .head_dim = 16,
                                  .scratch = nullptr});
            }),
            "rope_backward: dk is F32[2, 32], expected F32[2, 16]");
}

}  // namespace
}  // namespace limr::test
