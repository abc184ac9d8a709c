#include "ops/ref/adamw.h"

#include <algorithm>
#include <cmath>

#include "ops/fixture.h"

namespace limr::test {
namespace {

// What AdamW keeps of n weights.
struct State {
  std::vector<bf16> weight;
  std::vector<uint16_t> remainder;
  std::vector<float> m, v;
  State(const std::vector<float>& master, std::vector<float> exp_avg, std::vector<float> exp_avg_sq)
      : weight(master.size()), remainder(master.size()), m(std::move(exp_avg)), v(std::move(exp_avg_sq)) {
    for (size_t i = 0; i < master.size(); ++i) split_master(master[i], &weight[i], &remainder[i]);
  }
  std::vector<float> master() const {
    std::vector<float> out(weight.size());
    for (size_t i = 0; i < out.size(); ++i) out[i] = join_master(weight[i], remainder[i]);
    return out;
  }
  AdamW op(const std::vector<float>& grad, float grad_scale) {
    return {.weight = weight.data(),
            .remainder = remainder.data(),
            .exp_avg = {m.data()},
            .exp_avg_sq = {v.data()},
            .grad = grad.data(),
            .n = int64_t(weight.size()),
            .grad_scale = grad_scale,
            .lr = 1e-3,
            .beta1 = 0.9,
            .beta2 = 0.95,
            .eps = 1e-8,
            .weight_decay = 0,
            .step = 1};
  }
};

std::vector<float> squares(std::vector<float> x) {
  for (float& value : x) value *= value;
  return x;
}

LIMR_TEST(a_master_splits_and_joins_to_the_bit) {
  Random rng(1);
  std::vector<uint32_t> halves{0, 1, 2, 0x7ffe, 0x7fff, 0x8000, 0x8001, 0xfffe, 0xffff};
  for (int i = 0; i < (small() ? 2 : 16); ++i) halves.push_back(rng() & 0xffff);
  const auto check = [](uint32_t u) {
    bf16 weight;
    uint16_t remainder;
    split_master(std::bit_cast<float>(u), &weight, &remainder);
    if (std::bit_cast<uint32_t>(join_master(weight, remainder)) != u) expect(false, cat("bits ", u));
    const float master = std::bit_cast<float>(u);
    if (!std::isfinite(master)) return;
    // the weight is the master rounded to nearest, ties away from zero
    const bf16 want = (u & 0xffff) == 0x8000 ? bf16((u >> 16) + 1) : f32_to_bf16(master);
    if (weight != want) expect(false, cat("weight of bits ", u));
  };
  for (uint32_t half : halves)
    for (uint32_t other = 0; other < 0x10000; ++other) {
      check(other << 16 | half);
      check(half << 16 | other);
    }
}

template <typename T>
double rms(const std::vector<T>& x) {
  double sum = 0;
  for (const T v : x) sum += double(v) * double(v);
  return std::sqrt(sum / double(x.size()));
}

struct Setting {
  double lr, beta2, weight_decay;
  float grad_scale;
  int64_t step;
};

LIMR_TEST(adamw_is_the_reference_everywhere) {
  Random rng(2);
  const Setting settings[] = {{1e-3, 0.95, 0, 1, 1}, {5e-7, 0.999, 0.1, 0.37f, 1}, {0.1, 0.95, 0.01, 2.5f, 1000}};
  for (int64_t n : {1, 15, 16, 17, 123, small() ? 16'400 : 40'000})
    for (const Setting& setting : settings) {
      const std::string context = cat("n=", n, " lr=", setting.lr, " step=", setting.step);
      // Half of the masters are zero: there the new master is the update itself, nothing of it lost in rounding.
      auto master = normal(rng, n, 0.02f);
      for (int64_t i = 0; i < n; i += 2) master[i] = 0;
      const auto grad = normal(rng, n);
      const State before(master, normal(rng, n, 0.1f), squares(normal(rng, n)));
      const auto run = [&](auto&& step) {
        State state = before;
        AdamW op = state.op(grad, setting.grad_scale);
        op.lr = setting.lr, op.beta2 = setting.beta2, op.weight_decay = setting.weight_decay, op.step = setting.step;
        step(op);
        return state;
      };
      const auto [weight, remainder, m, v] = everywhere(
          [&](const Context& ctx) {
            const State s = run([&](const AdamW& op) { adamw(ctx, op); });
            return std::tuple(s.weight, s.remainder, s.m, s.v);
          },
          context);
      State got = before;
      got.weight = weight, got.remainder = remainder;
      const State want = run(ref::adamw);
      // f32: a handful of roundings of 6e-8; beta and 1 - beta are each the f32 next to their f64. Where the two terms of m
      // have other signs, m is smaller than what was rounded.
      std::vector<double> terms;
      for (int64_t i = 0; i < n; ++i)
        terms.push_back(std::abs(0.9 * before.m[i]) + std::abs(0.1 * setting.grad_scale * grad[i]));
      const double cancelled = std::max(1.0, rms(terms) / rms(want.m));
      expect_close(m, want.m, 2.5e-7 * cancelled, context);
      expect_close(v, want.v, 2.5e-7, context);
      const auto got_master = got.master(), want_master = want.master();
      expect_close(got_master, want_master, 5e-7 * cancelled, context);
      std::vector<float> updates, want_updates;
      for (int64_t i = 0; i < n; i += 2) updates.push_back(got_master[i]), want_updates.push_back(want_master[i]);
      expect_close(updates, want_updates, 5e-7 * cancelled, context);
    }
}

LIMR_TEST(adamw_weighs_a_square_by_one_minus_beta_in_f64) {
  // 1 - 0.999f is 9.9999e-4, which is off by 1.3e-5: too much for a second moment that starts at 0
  const std::vector<float> grad(3, 1.0f);
  const float scale = 1;
  for (const Setup& s : setups()) {
    State state({1, 1, 1}, {0, 0, 0}, {0, 0, 0});
    AdamW op = state.op(grad, scale);
    op.beta2 = 0.999;
    adamw(s.ctx, op);
    expect_eq(state.v, std::vector<float>(3, 0.001f), s.name);
  }
}

LIMR_TEST(weight_decay_is_decoupled) {
  // no gradient and no moments: only w (1 - lr * decay) remains
  const float scale = 1;
  for (const Setup& s : setups()) {
    State state({2.0f, -1.0f, 0.0f}, {0, 0, 0}, {0, 0, 0});
    const std::vector<float> grad(3);
    AdamW op = state.op(grad, scale);
    op.lr = 0.5, op.weight_decay = 0.25;
    adamw(s.ctx, op);
    expect_eq(state.master(), std::vector<float>{1.75f, -0.875f, 0.0f}, s.name);
  }
}

LIMR_TEST(a_first_step_is_the_learning_rate_in_the_gradients_direction) {
  const float scale = 0.5f;
  const std::vector<float> grad{3.0f, -0.02f, 1e-4f};
  for (const Setup& s : setups()) {
    State state({0, 0, 0}, {0, 0, 0}, {0, 0, 0});
    adamw(s.ctx, state.op(grad, scale));
    // m / (1 - b1) over sqrt(v / (1 - b2)) is the sign of g, up to eps / |g|: 2e-4 at 5e-5
    expect_close(state.master(), std::vector<float>{-1e-3f, 1e-3f, -1e-3f}, 3e-4, s.name);
    expect_close(state.m, std::vector<float>{0.15f, -1e-3f, 5e-6f}, 1e-6, s.name);
  }
}

LIMR_TEST(ten_thousand_steps_at_5e_7_follow_an_f64_adam) {
  // LIMR's learning rate. Weights as of a trained model: next to 0.02, bf16 has steps of 1.2e-4, f32 of 1.9e-9.
  const int64_t n = small() ? 64 : 2048, steps = 10'000;
  Random rng(3);
  const auto start = normal(rng, n, 0.02f), drift = normal(rng, n, 0.3f);
  std::vector<std::vector<float>>
      noise;  // gradients drift by a fraction of their noise, drawn from a few batches in turn
  for (int i = 0; i < 37; ++i) noise.push_back(normal(rng, n));
  const float scale = 1;
  State state(start, std::vector<float>(n), std::vector<float>(n));
  const std::vector<float> first = state.master();
  std::vector<double> w(first.begin(), first.end()), m(n), v(n);
  std::vector<bf16> plain = narrow(first);  // the same updates on bf16 weights alone
  int64_t moved = 0;
  std::vector<float> grad(n);
  const double lr = 5e-7, b1 = 0.9, b2 = 0.95, eps = 1e-8;
  for (int64_t t = 1; t <= steps; ++t) {
    const auto& batch = noise[size_t(rng() % noise.size())];
    for (int64_t i = 0; i < n; ++i) grad[i] = drift[i] + batch[i];
    AdamW op = state.op(grad, scale);
    op.lr = lr, op.step = t;
    adamw(setups()[1].ctx, op);
    const double c1 = 1 - std::pow(b1, double(t)), c2 = 1 - std::pow(b2, double(t));
    for (int64_t i = 0; i < n; ++i) {
      m[i] = b1 * m[i] + (1 - b1) * grad[i];
      v[i] = b2 * v[i] + (1 - b2) * grad[i] * grad[i];
      const double update = lr / c1 * m[i] / (std::sqrt(v[i] / c2) + eps);
      w[i] -= update;
      plain[i] = f32_to_bf16(float(bf16_to_f32(plain[i]) - update));
    }
  }
  double dot = 0, ours = 0, theirs = 0;
  const auto last = state.master();
  for (int64_t i = 0; i < n; ++i) {
    const double a = double(last[i]) - first[i], b = w[i] - first[i];
    dot += a * b, ours += a * a, theirs += b * b;
    moved += plain[i] != f32_to_bf16(first[i]);
  }
  const double cosine = dot / std::sqrt(ours * theirs), ratio = std::sqrt(ours / theirs);
  expect(cosine > 0.999, cat("cosine ", cosine));
  expect(ratio > 0.99 && ratio < 1.01, cat("|ours| / |f64| ", ratio));
  // the control: without the remainder most weights never move, so this test would notice its loss
  expect(moved < n / 4, cat(moved, " of ", n, " plain bf16 weights moved"));
}

LIMR_TEST(sum_squares_adds_blocks_in_order) {
  Random rng(4);
  for (int64_t n :
       {int64_t(0), int64_t(1), int64_t(17), kSumBlock - 1, kSumBlock, kSumBlock + 1, 3 * kSumBlock + 123}) {
    const auto data = normal(rng, n, 3);
    const int64_t blocks = (n + kSumBlock - 1) / kSumBlock;
    const std::string context = cat("n=", n);
    const auto [total, partial] = everywhere(
        [&](const Context& ctx) {
          auto partial = poisoned<double>(blocks);
          const double total = sum_squares(ctx, {.data = data.data(), .n = n, .partial = partial.data()});
          return std::tuple(std::vector<double>{total}, partial);
        },
        context);
    auto want = poisoned<double>(blocks);
    const double want_total = ref::sum_squares({.data = data.data(), .n = n, .partial = want.data()});
    expect_close(partial, want, 1e-6, context);  // 16 f32 lanes of a thousand squares each
    expect_close(total[0], want_total, 1e-6, context);
    double in_order = 0;
    for (int64_t b = 0; b < blocks; ++b) {  // each block as if it were alone, added up in f64
      double alone = 0;
      const int64_t length = std::min(kSumBlock, n - b * kSumBlock);
      sum_squares(setups().front().ctx, {.data = &data[b * kSumBlock], .n = length, .partial = &alone});
      expect_eq(partial[b], alone, context);
      in_order += alone;
    }
    expect_eq(total[0], in_order, context);
  }
}

LIMR_TEST(adamw_of_no_weights_touches_nothing) {
  const float scale = 1;
  for (const Setup& s : setups()) {
    State state({}, {}, {});
    adamw(s.ctx, state.op({}, scale));
    expect_eq(sum_squares(s.ctx, {.data = nullptr, .n = 0, .partial = nullptr}), 0.0, s.name);
  }
}

LIMR_TEST(adamw_counts_steps_from_one) {
  const float scale = 1;
  State state({1.0f}, {0}, {0});
  const std::vector<float> grad{1.0f};
  AdamW op = state.op(grad, scale);
  op.step = 0;
  expect_eq(expect_throws(Code::kUsage, [&] { adamw(setups().front().ctx, op); }).message(),
            "adamw: step is 0, expected 1 or more");
  expect_eq(state.master(), std::vector<float>{1.0f});
}

LIMR_TEST(a_nan_gradient_stays_where_it_is) {
  const float scale = 1;
  std::vector<float> grad(20, 1.0f);
  grad[7] = std::numeric_limits<float>::quiet_NaN();
  for (const Setup& s : setups()) {
    State state(std::vector<float>(20, 1.0f), std::vector<float>(20), std::vector<float>(20));
    adamw(s.ctx, state.op(grad, scale));
    for (int i = 0; i < 20; ++i) expect_eq(std::isnan(state.master()[i]), i == 7, cat(s.name, " i=", i));
    double partial = 0;
    expect(std::isnan(sum_squares(s.ctx, {.data = grad.data(), .n = 20, .partial = &partial})), s.name);
  }
}

}  // namespace
}  // namespace limr::test
