#include "ops/ref/logprob.h"

#include <algorithm>

#include "ops/logit_rows.h"

namespace limr::test {
namespace {

const std::vector<float> kTemperatures{0.4f, 1.0f, 1.2f};

std::vector<int64_t> vocabularies() {
  std::vector<int64_t> out{1, 2, 15, 16, 17, 123, 1000};
  if (!small()) out.push_back(151'936);  // Qwen2.5
  return out;
}

struct Columns {
  std::vector<float> max, log_sum, entropy, logprob;
  explicit Columns(const std::vector<RowStats>& stats) {
    for (const RowStats& s : stats) {
      max.push_back(s.max), log_sum.push_back(s.log_sum);
      entropy.push_back(s.entropy), logprob.push_back(s.logprob);
    }
  }
};

// max, log_sum, entropy, logprob of every row, one after the other
std::vector<float> flat(const std::vector<RowStats>& stats) {
  std::vector<float> out;
  for (const RowStats& s : stats) out.insert(out.end(), {s.max, s.log_sum, s.entropy, s.logprob});
  return out;
}
std::vector<RowStats> poisoned_stats(int64_t R) {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  return std::vector<RowStats>(R, RowStats{nan, nan, nan, nan});
}

LIMR_TEST(logprob_forward_is_the_reference_everywhere) {
  Random rng(1);
  for (int64_t V : vocabularies())
    for (float T : kTemperatures) {
      const std::string context = cat("V=", V, " T=", T);
      const auto logits = rows_of_all_kinds(rng, V);
      const auto targets = integers(rng, kRows, int32_t(V));
      const auto run = [&](auto&& op) {
        auto stats = poisoned_stats(kRows);
        op(LogprobForward{.stats = stats.data(),
                          .logits = view(logits.data(), kRows, V + 3),
                          .targets = targets.data(),
                          .vocab_size = V,
                          .temperature = T});
        return stats;
      };
      std::vector<RowStats> stats;
      everywhere(
          [&](const Context& ctx) {
            stats = run([&](const auto& op) { logprob_forward(ctx, op); });
            return std::tuple(flat(stats));
          },
          context);
      const Columns got(stats), want(run(ref::logprob_forward));
      expect_close(got.max, want.max, 1e-7, context);  // a division, rounded as the reference's
      // f32: sums of positive terms in 16 lanes, a polynomial exp of 1 ulp; arguments z - max of up to 5e4 cost nothing
      // there, since such terms vanish, but the log-prob of such a target has itself only 24 bits
      expect_close(got.log_sum, want.log_sum, 2e-6, context);
      expect_close(got.logprob, want.logprob, 2e-6, context);
      expect_close(got.entropy, want.entropy, 5e-6, context);  // log_sum minus a mean as large
      for (int64_t r = 0; r < kRows; ++r)
        expect_eq(stats[r].logprob, logprob_of(logits[r * (V + 3) + targets[r]], T, stats[r]), context);
      // all equal: every log-prob is -log V, to 1 ulp of the log of an exact sum
      expect_close(got.logprob[4], -std::log(double(V)), 2e-7, context);
      expect_close(got.entropy[4], std::log(double(V)), 2e-7, context);
    }
}

LIMR_TEST(a_row_of_logprob_depends_on_itself_alone) {
  Random rng(2);
  const int64_t R = 37, V = 1003;
  const auto logits = normal(rng, R * V, 4);
  const auto targets = integers(rng, R, int32_t(V));
  const auto forward = [&](const Context& ctx, int64_t begin, int64_t rows) {
    auto stats = poisoned_stats(rows);
    logprob_forward(ctx, {.stats = stats.data(),
                          .logits = view(&logits[begin * V], rows, V),
                          .targets = &targets[begin],
                          .vocab_size = V,
                          .temperature = 1.2f});
    return flat(stats);
  };
  for (const Setup& s : setups()) {
    const auto all = forward(s.ctx, 0, R);
    for (int64_t r = 0; r < R; ++r)
      expect_bits(forward(s.ctx, r, 1), std::span(all).subspan(r * 4, 4), cat(s.name, " row ", r));
  }
}

LIMR_TEST(logprob_without_targets_gives_the_same_statistics) {
  Random rng(3);
  const auto logits = normal(rng, 50);
  for (const Setup& s : setups()) {
    RowStats with{}, without{};
    const int32_t target = 7;
    LogprobForward op{.stats = &with,
                      .logits = view(logits.data(), 1, 50),
                      .targets = &target,
                      .vocab_size = 50,
                      .temperature = 0.4f};
    logprob_forward(s.ctx, op);
    op.stats = &without, op.targets = nullptr;
    logprob_forward(s.ctx, op);
    expect(with.max == without.max && with.log_sum == without.log_sum && with.entropy == without.entropy, s.name);
    expect_eq(logprob_of(logits[7], 0.4f, without), with.logprob, s.name);
  }
}

LIMR_TEST(a_nan_among_logits_reaches_every_statistic) {
  Random rng(4);
  for (int64_t V : {16, 50})
    for (int64_t at : {int64_t(0), V / 2, V - 1}) {
      auto logits = normal(rng, V);
      logits[at] = std::numeric_limits<float>::quiet_NaN();
      for (const Setup& s : setups()) {
        RowStats stats{};
        const int32_t target = at == 0 ? 1 : 0;  // a finite logit
        logprob_forward(s.ctx, {.stats = &stats,
                                .logits = view(logits.data(), 1, V),
                                .targets = &target,
                                .vocab_size = V,
                                .temperature = 1});
        const std::string context = cat(s.name, " V=", V, " at=", at);
        expect(std::isnan(stats.log_sum), cat("log_sum ", context));
        expect(std::isnan(stats.logprob), cat("logprob ", context));
        expect(std::isnan(stats.entropy), cat("entropy ", context));
      }
    }
}

LIMR_TEST(logprob_backward_is_the_reference_everywhere) {
  Random rng(5);
  for (int64_t V : vocabularies())
    for (float T : kTemperatures)
      for (bool entropy : {false, true}) {
        const std::string context = cat("V=", V, " T=", T, entropy ? " entropy" : "");
        const int64_t even = round_up(V, 2);
        const auto logits = rows_of_all_kinds(rng, V);
        const auto targets = integers(rng, kRows, int32_t(V));
        const auto dlogprob = normal(rng, kRows), dentropy = normal(rng, kRows);
        auto stats = poisoned_stats(kRows);
        logprob_forward(setups().front().ctx, {.stats = stats.data(),
                                               .logits = view(logits.data(), kRows, V + 3),
                                               .targets = targets.data(),
                                               .vocab_size = V,
                                               .temperature = T});
        LogprobBackward op{.dlogits = {},
                           .logits = view(logits.data(), kRows, V + 3),
                           .stats = stats.data(),
                           .targets = targets.data(),
                           .dlogprob = dlogprob.data(),
                           .dentropy = entropy ? dentropy.data() : nullptr,
                           .vocab_size = V,
                           .temperature = T};
        const auto [dlogits] = everywhere(
            [&](const Context& ctx) {
              auto dlogits = poisoned<bf16>(kRows * even);
              auto o = op;
              o.dlogits = view(dlogits.data(), kRows, even);
              logprob_backward(ctx, o);
              auto wide = poisoned<bf16>(kRows * (even + 2)), spread = wide;
              o.dlogits = view(wide.data(), kRows, even + 2);
              o.dlogits.cols = even;
              logprob_backward(ctx, o);
              for (int64_t r = 0; r < kRows; ++r) std::copy_n(&dlogits[r * even], even, &spread[r * (even + 2)]);
              expect_bits(wide, spread, cat(context, " with gaps"));
              return std::tuple(dlogits);
            },
            context);
        auto want = poisoned(kRows * even);
        op.dlogits = view(want.data(), kRows, even);
        ref::logprob_backward(op);
        if (V == 1) {  // one token: p = 1, nothing to learn; the f32 statistics leave nothing either
          for (bf16 x : dlogits) expect_eq(bf16_to_f32(x), 0.0f, context);
          continue;
        }
        // Beside the rounding to bf16: p has an f32 error of 1e-6, the entropy's bracket 5e-6 * log V, and where the
        // target has nearly all of the mass, [k = y] - p cancels; the root mean square of the rows covers that.
        expect_close(dlogits, want, kBf16Rounding + 1e-4, context);
        for (int64_t r = 0; r < kRows && even > V; ++r) expect_eq(dlogits[r * even + V], bf16(0), context);
      }
}

LIMR_TEST(logprob_backward_is_the_derivative) {
  Random rng(6);
  const int64_t R = 3, V = 7;
  auto logits = normal(rng, R * V);
  const auto targets = integers(rng, R, int32_t(V));
  const auto dlogprob = normal(rng, R), dentropy = normal(rng, R);
  for (float T : kTemperatures)
    for (bool entropy : {false, true}) {
      const auto loss = [&] {
        auto stats = poisoned_stats(R);
        ref::logprob_forward({.stats = stats.data(),
                              .logits = view(logits.data(), R, V),
                              .targets = targets.data(),
                              .vocab_size = V,
                              .temperature = T});
        const Columns c(stats);
        return dot(c.logprob, dlogprob) + (entropy ? dot(c.entropy, dentropy) : 0);
      };
      auto dlogits = poisoned(R * (V + 1));
      ref::logprob_backward({.dlogits = view(dlogits.data(), R, V + 1),
                             .logits = view(logits.data(), R, V),
                             .stats = nullptr,
                             .targets = targets.data(),
                             .dlogprob = dlogprob.data(),
                             .dentropy = entropy ? dentropy.data() : nullptr,
                             .vocab_size = V,
                             .temperature = T});
      const auto want = gradient(logits, 0x1p-5, loss);
      for (int64_t r = 0; r < R; ++r) {
        // f32 statistics: 3e-7 over a step of 1/32, and (1/32)^4 / 30 of the fifth derivative, which has T^-5
        expect_close(std::span(dlogits).subspan(r * (V + 1), V), std::span(want).subspan(r * V, V), 2e-4,
                     cat("T=", T, " entropy=", entropy, " row ", r));
        expect_eq(dlogits[r * (V + 1) + V], 0.0f);
      }
    }
}

LIMR_TEST(gradients_of_a_row_add_up_to_nothing) {
  Random rng(7);
  const int64_t V = 1000;
  const auto logits = normal(rng, V, 2);
  const int32_t target = 3;
  const float dlogprob = 1.5f, dentropy = -0.5f;
  for (const Setup& s : setups()) {
    RowStats stats{};
    auto dlogits = poisoned<bf16>(V);
    logprob_forward(
        s.ctx,
        {.stats = &stats, .logits = view(logits.data(), 1, V), .targets = &target, .vocab_size = V, .temperature = 1});
    logprob_backward(s.ctx, {.dlogits = view(dlogits.data(), 1, V),
                             .logits = view(logits.data(), 1, V),
                             .stats = &stats,
                             .targets = &target,
                             .dlogprob = &dlogprob,
                             .dentropy = &dentropy,
                             .vocab_size = V,
                             .temperature = 1});
    double sum = 0, magnitude = 0;
    for (bf16 x : dlogits) sum += bf16_to_f32(x), magnitude += std::abs(bf16_to_f32(x));
    expect(std::abs(sum) < 0x1p-8 * magnitude, cat(s.name, " sum=", sum));  // each element is off by 2^-8 of it at most
    expect(bf16_to_f32(dlogits[target]) > 1.0f, s.name);
  }
}

LIMR_TEST(logprob_of_no_rows_touches_nothing) {
  for (const Setup& s : setups()) {
    float logit = 0;
    bf16 none = 0x1234;
    logprob_forward(
        s.ctx,
        {.stats = nullptr, .logits = view(&logit, 0, 10), .targets = nullptr, .vocab_size = 10, .temperature = 1});
    logprob_backward(s.ctx, {.dlogits = view(&none, 0, 10),
                             .logits = view(&logit, 0, 10),
                             .stats = nullptr,
                             .targets = nullptr,
                             .dlogprob = nullptr,
                             .dentropy = nullptr,
                             .vocab_size = 10,
                             .temperature = 1});
    expect_eq(none, bf16(0x1234), s.name);
  }
}

LIMR_TEST(logprob_names_what_is_wrong) {
  const Context& ctx = setups().front().ctx;
  std::vector<float> f32(64);
  std::vector<bf16> data(64);
  std::vector<RowStats> stats(2);
  LogprobForward forward{
      .stats = stats.data(), .logits = view(f32.data(), 2, 9), .targets = nullptr, .vocab_size = 10, .temperature = 1};
  expect_eq(expect_throws(Code::kShape, [&] { logprob_forward(ctx, forward); }).message(),
            "logprob_forward: logits is F32[2, 9], expected F32[2, 10]");
  forward.vocab_size = 9;
  for (float T : {0.0f, -1.0f, std::numeric_limits<float>::quiet_NaN()}) {
    forward.temperature = T;
    expect_contains(expect_throws(Code::kUsage, [&] { logprob_forward(ctx, forward); }).message(),
                    "logprob_forward: temperature is ");
  }
  expect_eq(expect_throws(Code::kShape,
                          [&] {
                            logprob_backward(ctx, {.dlogits = view(data.data(), 2, 9),
                                                   .logits = view(f32.data(), 2, 9),
                                                   .stats = stats.data(),
                                                   .targets = nullptr,
                                                   .dlogprob = nullptr,
                                                   .dentropy = nullptr,
                                                   .vocab_size = 9,
                                                   .temperature = 1});
                          })
                .message(),
            "logprob_backward: dlogits is BF16[2, 9], expected BF16[2, 10]");
}

}  // namespace
}  // namespace limr::test
