// test/native/ops/attention_fixture.h - a paged cache with sequences in it, for the tests of attention.
#pragma once
#include "ops/fixture.h"
#include "ops/ref/attention.h"
#include "ops/ref/rope.h"

namespace limr::test {

struct Heads {
  int64_t H, K, D;
  std::string text() const { return cat("H=", H, " K=", K, " D=", D); }
};

// Groups of 1, 2, 7, 8 and 32 query heads; head sizes 16 to 256; among them those of Qwen2-0.5B (7 and 64) and
// Qwen2.5-Math-7B (7 and 128).
std::vector<Heads> head_shapes();

// Keys, values and queries of some sequences, in an order of pages drawn from `page_seed`; everything else in the cache
// is NaN, but for the value that pairs up with the last of an odd context, which rope_forward zeroes.
struct World {
  Heads heads;
  std::vector<int64_t> contexts;
  std::vector<std::vector<int32_t>> pages;
  std::vector<std::vector<bf16>> keys, values;  // a sequence: [context, K, D]
  std::vector<std::vector<bf16>> queries;       // a sequence: [context, H*D]
  std::vector<bf16> cache;
  int64_t page_stride;
  float scale;

  using Draw = std::vector<bf16> (*)(Random&, int64_t);
  World(Heads heads, std::vector<int64_t> contexts, uint32_t seed, uint32_t page_seed, Draw draw = nullptr);
  void write_cache();

  KvPages kv() const { return {const_cast<bf16*>(cache.data()), page_stride, heads.K, heads.D}; }
  int64_t width() const { return heads.H * heads.D; }
  int64_t kv_width() const { return heads.K * heads.D; }
  // Queries [context - length, context) of some sequences, one after the other, as one call takes them.
  struct Part {
    int64_t sequence, length, context;
  };
  std::vector<Part> whole() const;
};

// The outputs of one forward call, row by row, in the order of its parts.
struct Attended {
  std::vector<bf16> out;   // [N, H*D]
  std::vector<float> lse;  // [H, N]
};
Attended attend(const Context& ctx, const World& world, const std::vector<World::Part>& parts);
// The same from the reference, not rounded.
struct Meant {
  std::vector<float> out, lse;
};
Meant meant(const World& world, const std::vector<World::Part>& parts);

// Sequences of a call and their queries, side by side.
struct Call {
  std::vector<AttentionSequence> sequences;
  std::vector<bf16> q;
  int64_t N = 0;
  Call(const World& world, const std::vector<World::Part>& parts);
};

}  // namespace limr::test
