#include "ops/attention_fixture.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace limr::test {

std::vector<Heads> head_shapes() {
  if (small()) return {{2, 2, 16}, {4, 2, 32}, {7, 1, 16}, {32, 1, 48}};
  return {{2, 2, 16}, {4, 2, 32}, {7, 1, 64}, {14, 2, 128}, {8, 1, 16}, {1, 1, 256}, {32, 1, 48}};
}

World::World(Heads h, std::vector<int64_t> c, uint32_t seed, uint32_t page_seed, Draw draw)
    : heads(h), contexts(std::move(c)), scale(1 / std::sqrt(float(h.D))) {
  Random rng(seed);
  if (!draw) draw = [](Random& r, int64_t n) { return normal_bf16(r, n); };
  int64_t total = 0;
  for (int64_t context : contexts) {
    keys.push_back(draw(rng, context * kv_width()));
    values.push_back(draw(rng, context * kv_width()));
    queries.push_back(draw(rng, context * width()));
    total += (context + kPageKeys - 1) / kPageKeys;
  }
  std::vector<int32_t> order(total + 2);  // two pages belong to nobody
  std::iota(order.begin(), order.end(), 0);
  Random page_rng(page_seed);
  std::shuffle(order.begin(), order.end(), page_rng);
  for (auto next = order.begin(); int64_t context : contexts) {
    const int64_t count = (context + kPageKeys - 1) / kPageKeys;
    pages.emplace_back(next, next + count);
    next += count;
  }
  page_stride = 2 * kPageKeys * kv_width() + 16;  // something else lies between pages
  cache = poisoned<bf16>((total + 2) * page_stride);
  write_cache();
}

void World::write_cache() {
  for (size_t s = 0; s < contexts.size(); ++s)
    for (int64_t t = 0; t < contexts[s]; ++t) {
      const int64_t slot = pages[s][t / kPageKeys] * kPageKeys + t % kPageKeys;
      for (int64_t h = 0; h < heads.K; ++h)
        for (int64_t d = 0; d < heads.D; ++d) {
          ref::key_at(kv(), slot, h, d) = keys[s][(t * heads.K + h) * heads.D + d];
          ref::value_at(kv(), slot, h, d) = values[s][(t * heads.K + h) * heads.D + d];
          if (t + 1 == contexts[s] && t % 2 == 0) ref::value_at(kv(), slot + 1, h, d) = 0;
        }
    }
}

std::vector<World::Part> World::whole() const {
  std::vector<Part> parts;
  for (size_t s = 0; s < contexts.size(); ++s) parts.push_back({int64_t(s), contexts[s], contexts[s]});
  return parts;
}

Call::Call(const World& world, const std::vector<World::Part>& parts) {
  for (const auto& p : parts) {
    sequences.push_back({.begin = N,
                         .length = int32_t(p.length),
                         .context = int32_t(p.context),
                         .pages = world.pages[p.sequence].data()});
    const auto first = world.queries[p.sequence].begin() + (p.context - p.length) * world.width();
    q.insert(q.end(), first, first + p.length * world.width());
    N += p.length;
  }
}

Attended attend(const Context& ctx, const World& world, const std::vector<World::Part>& parts) {
  const Call call(world, parts);
  Attended a{poisoned<bf16>(call.N * world.width()), poisoned(world.heads.H * call.N)};
  AttentionForward op{.out = view(a.out.data(), call.N, world.width()),
                      .lse = view(a.lse.data(), world.heads.H, call.N),
                      .q = view(call.q.data(), call.N, world.width()),
                      .kv = world.kv(),
                      .sequences = call.sequences.data(),
                      .num_sequences = int64_t(call.sequences.size()),
                      .scale = world.scale};
  attention_forward(ctx, op);
  auto generated = poisoned<bf16>(call.N * world.width());
  op.out = view(generated.data(), call.N, world.width());
  op.lse = {};
  attention_forward(ctx, op);
  expect_bits(generated, a.out, "without lse");
  return a;
}

Meant meant(const World& world, const std::vector<World::Part>& parts) {
  const Call call(world, parts);
  Meant m{poisoned(call.N * world.width()), poisoned(world.heads.H * call.N)};
  ref::attention_forward({.out = view(m.out.data(), call.N, world.width()),
                          .lse = view(m.lse.data(), world.heads.H, call.N),
                          .q = view(call.q.data(), call.N, world.width()),
                          .kv = world.kv(),
                          .sequences = call.sequences.data(),
                          .num_sequences = int64_t(call.sequences.size()),
                          .scale = world.scale});
  return m;
}

}  // namespace limr::test
