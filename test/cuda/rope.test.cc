#include "ops/rope.h"

#include "fixture.h"
#include "ops/ref/rope.h"

namespace limr::test {
namespace {

struct Shape {
  int64_t H, K, D;
  bool norm;
  std::string text() const { return cat("H=", H, " K=", K, " D=", D, norm ? " norm" : ""); }
};
const Shape kShapes[] = {{1, 1, 16, false},  {4, 2, 16, true},  {3, 1, 32, true},
                         {14, 2, 64, false}, {7, 1, 128, true}, {2, 1, 256, true}};

struct Angles {
  std::vector<float> cos, sin;
  Angles(int64_t positions, int64_t D) : cos(positions * D / 2), sin(cos.size()) {
    for (int64_t p = 0; p < positions; ++p)
      for (int64_t i = 0; i < D / 2; ++i) {
        const double angle = double(p) * std::pow(10000.0, -2.0 * double(i) / double(D));
        cos[p * D / 2 + i] = float(std::cos(angle)), sin[p * D / 2 + i] = float(std::sin(angle));
      }
  }
};

// Two sequences over three pages that do not follow each other, an odd number of tokens in each.
struct Tokens {
  static constexpr int64_t kPages = 5;
  std::vector<int32_t> positions;
  std::vector<int64_t> slots;
  Tokens() {
    const int32_t pages[] = {3, 0};
    for (int32_t t = 0; t < 37; ++t) positions.push_back(t), slots.push_back(pages[t / 32] * 32 + t % 32);
    for (int32_t t = 0; t < 5; ++t) positions.push_back(t + 2), slots.push_back(4 * 32 + t + 2);
  }
  int64_t size() const { return int64_t(positions.size()); }
};

// Where a device keeps element d of the key (part 0) or value (part 1) that the host has at slot, head.
int64_t device_index(const KvPages& kv, int part, int64_t slot, int64_t head, int64_t d) {
  return slot / kPageKeys * kv.page_stride + head * kv.head_elements() + part * kPageKeys * kv.head_dim +
         slot % kPageKeys * kv.head_dim + d;
}

LIMR_TEST(cuda_rope_forward_is_the_reference) {
  Random rng(1);
  const Tokens tokens;
  const int64_t N = tokens.size();
  const DeviceArray positions(tokens.positions);
  const DeviceArray slots(tokens.slots);
  for (const auto& shape : kShapes) {
    const auto [H, K, D, norm] = shape;
    const int64_t width = (H + 2 * K) * D, page = 2 * kPageKeys * K * D + 24;  // another layer's elements lie between
    const Angles angles(64, D);
    const auto q_norm = normal_bf16(rng, D), k_norm = normal_bf16(rng, D);
    const auto qkv = normal(rng, N * width, 3);
    const DeviceArray x(qkv);
    const DeviceArray cos(angles.cos);
    const DeviceArray sin(angles.sin);
    const DeviceArray qn(q_norm);
    const DeviceArray kn(k_norm);
    const auto [q, cache] = on_every_schedule(
        [&] {
          const auto q = device_poisoned<bf16>(N * H * D), cache = device_poisoned<bf16>(Tokens::kPages * page);
          rope_forward(gpu(), {.q = view(q.data(), N, H * D),
                               .kv = {cache.data(), page, K, D},
                               .qkv = view(x.data(), N, width),
                               .positions = positions.data(),
                               .slots = slots.data(),
                               .rope = {cos.data(), sin.data(), 64},
                               .norm = norm ? HeadNorm{qn.data(), kn.data(), 1e-6f} : HeadNorm{}});
          return std::tuple(q.host(), cache.host());
        },
        shape.text());
    auto want = poisoned(N * H * D);
    auto want_cache = poisoned<bf16>(Tokens::kPages * page);
    const KvPages kv{want_cache.data(), page, K, D};
    ref::rope_forward({.q = view(want.data(), N, H * D),
                       .kv = kv,
                       .qkv = view(qkv.data(), N, width),
                       .positions = tokens.positions.data(),
                       .slots = tokens.slots.data(),
                       .rope = {angles.cos.data(), angles.sin.data(), 64},
                       .norm = norm ? HeadNorm{q_norm.data(), k_norm.data(), 1e-6f} : HeadNorm{}});
    expect_close(q, want, kBf16Rounding, shape.text());
    std::vector<bf16> keys, values, want_keys, want_values;
    auto untouched = cache;
    for (const int64_t slot : tokens.slots)
      for (int64_t h = 0; h < K; ++h)
        for (int64_t d = 0; d < D; ++d) {
          const int64_t key = device_index(kv, 0, slot, h, d), value = device_index(kv, 1, slot, h, d);
          keys.push_back(cache[key]), values.push_back(cache[value]);
          want_keys.push_back(ref::key_at(kv, slot, h, d)), want_values.push_back(ref::value_at(kv, slot, h, d));
          untouched[key] = untouched[value] = 0x7fc0;
        }
    expect_close(keys, want_keys, kBf16Unit, shape.text());
    expect_bits(values, want_values, shape.text());
    expect_bits(untouched, poisoned<bf16>(int64_t(untouched.size())), cat(shape.text(), ": nothing else is written"));
  }
}

LIMR_TEST(cuda_rope_backward_is_the_reference) {
  Random rng(2);
  for (const auto& shape : kShapes)
    for (int64_t N : {1, 64, 131}) {  // groups of 64 rows
      const auto [H, K, D, norm] = shape;
      if (N > 1 && (small() ? D > 32 : D > 64)) continue;
      const std::string context = cat(shape.text(), " N=", N);
      const int64_t width = (H + 2 * K) * D;
      const Angles angles(64, D);
      const auto q_norm = normal_bf16(rng, D), k_norm = normal_bf16(rng, D);
      const auto dq = normal(rng, N * H * D), dk = normal(rng, N * K * D), dv = normal(rng, N * K * D);
      const auto qkv = normal(rng, N * width, 3), q_before = normal(rng, D), k_before = normal(rng, D);
      const auto positions = integers(rng, N, 64);
      const DeviceArray x(qkv);
      const DeviceArray gq(dq);
      const DeviceArray gk(dk);
      const DeviceArray gv(dv);
      const DeviceArray at(positions);
      const DeviceArray cos(angles.cos);
      const DeviceArray sin(angles.sin);
      const DeviceArray qn(q_norm);
      const DeviceArray kn(k_norm);
      const auto [dqkv, dq_norm, dk_norm] = on_every_schedule(
          [&] {
            const auto scratch = device_scratch(rope_backward_scratch_bytes(N, D));
            const auto dqkv = device_poisoned<bf16>(N * width);
            const DeviceArray dq_norm(q_before);
            const DeviceArray dk_norm(k_before);
            rope_backward(gpu(), {.dqkv = view(dqkv.data(), N, width),
                                  .dq = view(gq.data(), N, H * D),
                                  .dk = view(gk.data(), N, K * D),
                                  .dv = view(gv.data(), N, K * D),
                                  .qkv = norm ? view(x.data(), N, width) : View{},
                                  .dq_norm = norm ? view(dq_norm.data(), 1, D) : View{},
                                  .dk_norm = norm ? view(dk_norm.data(), 1, D) : View{},
                                  .positions = at.data(),
                                  .rope = {cos.data(), sin.data(), 64},
                                  .norm = norm ? HeadNorm{qn.data(), kn.data(), 1e-6f} : HeadNorm{},
                                  .num_heads = H,
                                  .num_kv_heads = K,
                                  .head_dim = D,
                                  .scratch = scratch.data()});
            return std::tuple(dqkv.host(), dq_norm.host(), dk_norm.host());
          },
          context);
      auto want = poisoned(N * width), want_q = q_before, want_k = k_before;
      ref::rope_backward({.dqkv = view(want.data(), N, width),
                          .dq = view(dq.data(), N, H * D),
                          .dk = view(dk.data(), N, K * D),
                          .dv = view(dv.data(), N, K * D),
                          .qkv = norm ? view(qkv.data(), N, width) : View{},
                          .dq_norm = norm ? view(want_q.data(), 1, D) : View{},
                          .dk_norm = norm ? view(want_k.data(), 1, D) : View{},
                          .positions = positions.data(),
                          .rope = {angles.cos.data(), angles.sin.data(), 64},
                          .norm = norm ? HeadNorm{q_norm.data(), k_norm.data(), 1e-6f} : HeadNorm{},
                          .num_heads = H,
                          .num_kv_heads = K,
                          .head_dim = D,
                          .scratch = nullptr});
      expect_close(dqkv, want, kBf16Rounding, context);
      expect_close(dq_norm, want_q, 1e-5, context);  // f32 sums of up to 64 rows times heads
      expect_close(dk_norm, want_k, 1e-5, context);
    }
}

}  // namespace
}  // namespace limr::test
