// A query's output depends on its own context alone: what makes a sampled log-prob the trained one, to the bit.
#include <algorithm>

#include "ops/attention_fixture.h"

namespace limr::test {
namespace {

// Rows of out, and columns of lse, of every token: [sequence][t], each H*D and H long.
struct Rows {
  std::vector<std::vector<std::vector<bf16>>> out;
  std::vector<std::vector<std::vector<float>>> lse;
  explicit Rows(const World& world) : out(world.contexts.size()), lse(world.contexts.size()) {
    for (size_t s = 0; s < out.size(); ++s) out[s].resize(world.contexts[s]), lse[s].resize(world.contexts[s]);
  }
  void attend(const Context& ctx, const World& world, const std::vector<World::Part>& parts) {
    const Attended a = test::attend(ctx, world, parts);
    const int64_t N = int64_t(a.out.size()) / world.width();
    int64_t n = 0;
    for (const auto& p : parts)
      for (int64_t t = p.context - p.length; t < p.context; ++t, ++n) {
        out[p.sequence][t].assign(&a.out[n * world.width()], &a.out[n * world.width()] + world.width());
        lse[p.sequence][t].clear();
        for (int64_t h = 0; h < world.heads.H; ++h) lse[p.sequence][t].push_back(a.lse[h * N + n]);
      }
  }
};

void expect_same(const Rows& got, const Rows& want, const std::string& context) {
  for (size_t s = 0; s < want.out.size(); ++s)
    for (size_t t = 0; t < want.out[s].size(); ++t) {
      expect_bits(got.out[s][t], want.out[s][t], cat(context, " sequence ", s, " token ", t));
      expect_bits(got.lse[s][t], want.lse[s][t], cat(context, " lse of sequence ", s, " token ", t));
    }
}

// Every token by itself, one call each: decoding.
Rows decoded(const Context& ctx, const World& world) {
  Rows rows(world);
  for (size_t s = 0; s < world.contexts.size(); ++s)
    for (int64_t t = 1; t <= world.contexts[s]; ++t) rows.attend(ctx, world, {{int64_t(s), 1, t}});
  return rows;
}

std::vector<Heads> few_head_shapes() {
  if (small()) return {{2, 2, 16}, {7, 1, 32}};
  return {{2, 2, 16}, {4, 2, 32}, {7, 1, 64}, {8, 1, 128}};
}
const std::vector<int64_t> kContexts{33, 1, 40, 70};

LIMR_TEST(prefill_decode_and_chunks_give_the_same_bits) {
  for (const Heads& heads : few_head_shapes()) {
    const World world(heads, kContexts, 1, 2);
    const Rows want = decoded(setups().front().ctx, world);
    for (const Setup& s : setups()) {
      Rows got(world);
      got.attend(s.ctx, world, world.whole());
      expect_same(got, want, cat(heads.text(), " packed ", s.name));

      for (int64_t chunk : {7, 32, 50}) {
        Rows chunked(world);
        for (int64_t begin = 0; begin < 70; begin += chunk) {
          std::vector<World::Part> parts;  // what is left of every sequence, the last sequence first
          for (int64_t i = int64_t(kContexts.size()) - 1; i >= 0; --i) {
            const int64_t end = std::min(begin + chunk, kContexts[i]);
            if (end > begin) parts.push_back({i, end - begin, end});
          }
          chunked.attend(s.ctx, world, parts);
        }
        expect_same(chunked, want, cat(heads.text(), " chunks of ", chunk, " ", s.name));
      }

      Rows mixed(world);  // decode steps of all sequences in one call
      for (int64_t t = 1; t <= 70; ++t) {
        std::vector<World::Part> parts;
        for (size_t i = 0; i < kContexts.size(); ++i)
          if (t <= kContexts[i]) parts.push_back({int64_t(i), 1, t});
        mixed.attend(s.ctx, world, parts);
      }
      expect_same(mixed, want, cat(heads.text(), " decoded together ", s.name));
    }
  }
}

LIMR_TEST(the_same_bits_over_many_pages) {
  const Heads heads{3, 1, 16};
  const World world(heads, {290, 257}, 8, 9);
  const Rows want = decoded(setups().front().ctx, world);
  for (const Setup& s : setups()) {
    Rows packed(world), halves(world);
    packed.attend(s.ctx, world, world.whole());
    expect_same(packed, want, cat("packed ", s.name));
    halves.attend(s.ctx, world, {{0, 259, 259}, {1, 100, 100}});
    halves.attend(s.ctx, world, {{1, 157, 257}, {0, 31, 290}});
    expect_same(halves, want, cat("halves ", s.name));
  }
}

LIMR_TEST(which_pages_hold_a_sequence_does_not_show) {
  for (const Heads& heads : few_head_shapes()) {
    const World world(heads, kContexts, 3, 4), elsewhere(heads, kContexts, 3, 5);
    expect(world.pages != elsewhere.pages && world.keys == elsewhere.keys);
    for (const Setup& s : setups()) {
      const auto a = attend(s.ctx, world, world.whole()), b = attend(s.ctx, elsewhere, world.whole());
      expect_bits(b.out, a.out, cat(heads.text(), " ", s.name));
      expect_bits(b.lse, a.lse, cat(heads.text(), " ", s.name));
    }
  }
}

LIMR_TEST(what_comes_after_a_token_does_not_show) {
  // the same prefix before two different continuations, whose keys would win every score
  const Heads heads{7, 1, 32};
  const World world(heads, {60}, 6, 7);
  World other = world;
  for (int64_t i = 37 * world.kv_width(); i < 60 * world.kv_width(); ++i) {
    other.keys[0][i] = f32_to_bf16(i % 2 ? 50 : -50);
    other.values[0][i] = f32_to_bf16(1000);
  }
  for (int64_t i = 37 * world.width(); i < 60 * world.width(); ++i) other.queries[0][i] = f32_to_bf16(3);
  other.write_cache();
  for (const Setup& s : setups()) {
    Rows a(world), b(world);
    a.attend(s.ctx, world, world.whole());
    b.attend(s.ctx, other, world.whole());
    for (int64_t t = 0; t < 37; ++t) {
      expect_bits(b.out[0][t], a.out[0][t], cat(s.name, " token ", t));
      expect_bits(b.lse[0][t], a.lse[0][t], cat(s.name, " token ", t));
    }
    expect(a.out[0][37] != b.out[0][37], s.name);
  }
}

}  // namespace
}  // namespace limr::test
