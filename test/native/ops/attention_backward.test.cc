#include <algorithm>
#include <cmath>

#include "ops/attention_fixture.h"

namespace limr::test {
namespace {

// What a backward pass reads besides the world, in the order of `parts`: results of the forward pass, and dout.
struct Saved {
  Call call;
  std::vector<bf16> out, dout;
  std::vector<float> lse;
  Saved(const World& world, const std::vector<World::Part>& parts, uint32_t seed) : call(world, parts) {
    const Attended a = attend(setups().front().ctx, world, parts);
    out = a.out, lse = a.lse;
    for (const auto& p : parts) {  // a sequence's gradient is the same wherever it stands
      Random rng(seed + uint32_t(p.sequence));
      const auto d = normal_bf16(rng, p.length * world.width());
      dout.insert(dout.end(), d.begin(), d.end());
    }
  }
};

AttentionBackward backward_of(const World& world, const Saved& saved) {
  const int64_t N = saved.call.N;
  return {.dq = {},
          .dk = {},
          .dv = {},
          .dout = view(saved.dout.data(), N, world.width()),
          .out = view(saved.out.data(), N, world.width()),
          .q = view(saved.call.q.data(), N, world.width()),
          .lse = view(saved.lse.data(), world.heads.H, N),
          .kv = world.kv(),
          .sequences = saved.call.sequences.data(),
          .num_sequences = int64_t(saved.call.sequences.size()),
          .scale = world.scale,
          .scratch = nullptr};
}

struct Gradients {
  std::vector<float> dq, dk, dv;
  int64_t key_rows;
  Gradients(const World& world, int64_t N, int64_t foreign = 0)
      : dq(poisoned(N * world.width())),
        dk(poisoned((N + foreign) * world.kv_width())),
        dv(poisoned((N + foreign) * world.kv_width())),
        key_rows(N + foreign) {}
  void bind(AttentionBackward& op, const World& world) {
    op.dq = view(dq.data(), op.q.rows, world.width());
    op.dk = view(dk.data(), key_rows, world.kv_width());
    op.dv = view(dv.data(), key_rows, world.kv_width());
  }
  void keep_own(const World& world) {  // rows past those of tokens are scratch
    for (auto* d : {&dk, &dv}) d->resize(dq.size() / size_t(world.width() / world.kv_width()));
  }
};

Gradients backward(const Context& ctx, const World& world, const Saved& saved) {
  int64_t longest = 0;
  for (const auto& s : saved.call.sequences) longest = std::max<int64_t>(longest, s.length);
  const Scratch scratch(attention_backward_scratch_bytes(ctx.target(), 0, 0, longest, world.heads.D));
  auto op = backward_of(world, saved);
  op.scratch = scratch.data();
  Gradients g(world, saved.call.N);
  g.bind(op, world);
  attention_backward(ctx, op);
  return g;
}

void expect_reference(const Heads& heads, const std::vector<int64_t>& lengths) {
  const World world(heads, lengths, 1, 2);
  const Saved saved(world, world.whole(), 3);
  const auto [dq, dk, dv] = everywhere(
      [&](const Context& ctx) {
        const Gradients g = backward(ctx, world, saved);
        return std::tuple(g.dq, g.dk, g.dv);
      },
      heads.text());
  auto op = backward_of(world, saved);
  Gradients want(world, saved.call.N);
  want.bind(op, world);
  ref::attention_backward(op);
  // p and ds enter the products as bf16, off by 2^-9 of each in the mean; so are sums of them, taken together. A
  // single sum that cancels keeps the errors of its terms, which may be many times its own size: dout . v is of size
  // sqrt(D).
  for (const auto& [name, got, meant] :
       {std::tuple("dq", &dq, &want.dq), std::tuple("dk", &dk, &want.dk), std::tuple("dv", &dv, &want.dv)}) {
    const double error = relative_error(*got, *meant);
    expect(error < 0x1p-9, cat(name, " ", heads.text(), " relative error ", error));
    expect_close(*got, *meant, 10 * kBf16Rounding, cat(name, " ", heads.text()));
  }
}

LIMR_TEST(attention_backward_is_the_reference_everywhere) {
  for (const Heads& heads : head_shapes()) expect_reference(heads, {1, 33, 2, 100, 32, 31, 65});
}

LIMR_TEST(attention_backward_over_many_pages_is_the_reference_everywhere) {
  // the CPU takes four pages, and four tiles of rows, at a time
  for (const Heads& heads : {Heads{7, 1, 16}, Heads{3, 1, 32}, Heads{2, 2, 48}})
    expect_reference(heads, {300, 129, 131, 128});
}

// Sequences whose first pages are those of another: two of one beginning, one of the second's, one with nothing in common.
LIMR_TEST(attention_backward_adds_up_gradients_of_common_pages) {
  for (const Heads& heads : {Heads{7, 1, 32}, Heads{4, 2, 16}, Heads{2, 2, 48}}) {
    World world(heads, {150, 65, 130, 33, 132}, 11, 12);
    struct Shared {
      size_t sequence, with;
      int64_t pages;
    };
    const int64_t width = world.kv_width();
    std::vector<World::Part> parts = world.whole();
    for (const Shared& s : {Shared{1, 0, 2}, Shared{2, 0, 1}, Shared{4, 2, 4}}) {
      std::copy_n(world.pages[s.with].begin(), s.pages, world.pages[s.sequence].begin());
      for (auto* of : {&world.keys, &world.values})
        std::copy_n((*of)[s.with].begin(), s.pages * kPageKeys * width, (*of)[s.sequence].begin());
      parts[s.sequence].length -= s.pages * kPageKeys;
    }
    world.write_cache();
    const Saved saved(world, parts, 13);
    std::vector<int32_t> page_rows(64, -1);
    int64_t foreign = 0;
    for (size_t s = 0; s < parts.size(); ++s) {
      const int64_t start = parts[s].context - parts[s].length;
      foreign += start;
      for (int64_t key = start; key < parts[s].context; key += kPageKeys)
        page_rows[size_t(world.pages[s][size_t(key / kPageKeys)])] =
            int32_t(saved.call.sequences[s].begin + key - start);
    }
    const auto gradients = [&](auto&& backward) {
      auto op = backward_of(world, saved);
      op.page_rows = page_rows.data();
      Gradients g(world, saved.call.N, foreign);
      g.bind(op, world);
      backward(op);
      g.keep_own(world);
      return std::tuple(g.dq, g.dk, g.dv);
    };
    const auto [dq, dk, dv] = everywhere(
        [&](const Context& ctx) {
          const Scratch scratch(attention_backward_scratch_bytes(ctx.target(), 0, 0, 150, heads.D));
          return gradients([&](AttentionBackward& op) {
            op.scratch = scratch.data();
            attention_backward(ctx, op);
          });
        },
        heads.text());
    const auto [want_dq, want_dk, want_dv] = gradients([](AttentionBackward& op) { ref::attention_backward(op); });
    for (const auto& [name, got, meant] :
         {std::tuple("dq", &dq, &want_dq), std::tuple("dk", &dk, &want_dk), std::tuple("dv", &dv, &want_dv)})
      expect(relative_error(*got, *meant) < 0x1p-9, cat(name, " ", heads.text()));
  }
}

LIMR_TEST(neighbours_do_not_show_in_attention_backward) {
  const Heads heads{7, 1, 32};
  const World world(heads, {33, 100, 47}, 4, 5), elsewhere(heads, {33, 100, 47}, 4, 6);
  const std::vector<World::Part> alone{{1, 100, 100}}, among{{2, 47, 47}, {1, 100, 100}, {0, 33, 33}};
  const Saved one(world, alone, 7), three(elsewhere, among, 7);
  for (const Setup& s : setups()) {
    const Gradients a = backward(s.ctx, world, one), b = backward(s.ctx, elsewhere, three);
    const auto rows = [](const std::vector<float>& x, int64_t width) {
      return std::span(x).subspan(47 * width, 100 * width);
    };
    expect_bits(rows(b.dq, world.width()), a.dq, s.name);
    expect_bits(rows(b.dk, world.kv_width()), a.dk, s.name);
    expect_bits(rows(b.dv, world.kv_width()), a.dv, s.name);
  }
}

LIMR_TEST(attention_backward_is_the_derivative) {
  // keys, values and queries on a grid, so that steps are exact in the bf16 cache
  for (const Heads& heads : {Heads{2, 1, 16}, Heads{2, 2, 16}}) {
    World world(heads, {3, 5}, 8, 9, grid_bf16);
    Random rng(10);
    const auto parts = world.whole();
    const int64_t N = 8;
    const auto dout = normal(rng, N * world.width());
    const auto loss = [&] { return dot(meant(world, parts).out, dout); };
    const auto differences = [&](std::vector<std::vector<bf16>>& of, bool cached) {
      std::vector<double> all;
      for (auto& sequence : of) {
        const auto g = gradient(sequence, 0x1p-5, [&] {
          if (cached) world.write_cache();
          return loss();
        });
        all.insert(all.end(), g.begin(), g.end());
        world.write_cache();
      }
      return all;
    };
    const Meant m = meant(world, parts);
    const Call call(world, parts);
    Gradients got(world, N);
    AttentionBackward op{.dq = {},
                         .dk = {},
                         .dv = {},
                         .dout = view(dout.data(), N, world.width()),
                         .out = view(m.out.data(), N, world.width()),
                         .q = view(call.q.data(), N, world.width()),
                         .lse = view(m.lse.data(), heads.H, N),
                         .kv = world.kv(),
                         .sequences = call.sequences.data(),
                         .num_sequences = 2,
                         .scale = world.scale,
                         .scratch = nullptr};
    got.bind(op, world);
    ref::attention_backward(op);
    // f32 outputs: 1e-6 over a step of 1/32, and (1/32)^4 / 30 of the fifth derivative
    expect_close(got.dq, differences(world.queries, false), 2e-4, cat("dq ", heads.text()));
    expect_close(got.dk, differences(world.keys, true), 2e-4, cat("dk ", heads.text()));
    expect_close(got.dv, differences(world.values, true), 2e-4, cat("dv ", heads.text()));
  }
}

}  // namespace
}  // namespace limr::test
