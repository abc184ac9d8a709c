#include "ops/loss.h"

#include "fixture.h"

namespace limr::test {
namespace {

// Rows of log-probs, values and what they are measured against, on both sides of every clip.
struct Rows {
  std::vector<RowStats> stats;
  std::vector<float> values, weights, advantages, old_logprobs, ref_logprobs, old_values, returns;
  explicit Rows(int64_t n) {
    Random rng(unsigned(n) + 1);
    values = normal(rng, n), weights = normal(rng, n), advantages = normal(rng, n);
    old_values = normal(rng, n), returns = normal(rng, n);
    const auto logprobs = normal(rng, n), entropy = normal(rng, n), moved = normal(rng, n, 0.3f), kl = normal(rng, n);
    for (size_t r = 0; r < size_t(n); ++r) {
      stats.push_back({0, 0, std::abs(entropy[r]), -std::abs(logprobs[r])});
      old_logprobs.push_back(stats[r].logprob - moved[r]);
      ref_logprobs.push_back(stats[r].logprob - kl[r]);
    }
  }
};

struct Case {
  LossKind kind;
  LossCoefficients coefficients;
};
std::vector<Case> all_cases() {
  std::vector<Case> out{
      {LossKind::kCrossEntropy, {}}, {LossKind::kValue, {}}, {LossKind::kValue, {.value_clip = 0.3f}}};
  for (const KlEstimator estimator : {KlEstimator::kK1, KlEstimator::kK2, KlEstimator::kK3})
    for (const float kl_coef : {0.0f, 0.1f})
      out.push_back({LossKind::kPolicy,
                     {.eps_clip_low = 0.1f,
                      .eps_clip_high = 0.3f,
                      .kl_coef = kl_coef,
                      .kl_estimator = estimator,
                      .entropy_coef = 0.01f}});
  return out;
}

LIMR_TEST(cuda_loss_is_the_cpu_s) {
  for (const int64_t n : {1, 255, 257, 1000})
    for (const Case& c : all_cases()) {
      const std::string context =
          cat("n=", n, " kind=", int(c.kind), " kl=", c.coefficients.kl_coef,
              " estimator=", int(c.coefficients.kl_estimator), " clip=", c.coefficients.value_clip);
      const Rows rows(n);
      const bool value = c.kind == LossKind::kValue;
      auto losses = poisoned<float>(n), d_output = losses, d_entropy = losses;
      loss_forward(setups().front().ctx, {.kind = c.kind,
                                          .losses = losses.data(),
                                          .d_output = d_output.data(),
                                          .d_entropy = d_entropy.data(),
                                          .stats = value ? nullptr : rows.stats.data(),
                                          .values = value ? rows.values.data() : nullptr,
                                          .weights = rows.weights.data(),
                                          .advantages = rows.advantages.data(),
                                          .old_logprobs = rows.old_logprobs.data(),
                                          .ref_logprobs = rows.ref_logprobs.data(),
                                          .old_values = rows.old_values.data(),
                                          .returns = rows.returns.data(),
                                          .rows = n,
                                          .coefficients = c.coefficients});
      const DeviceArray stats(rows.stats);
      const DeviceArray values(rows.values), weights(rows.weights), advantages(rows.advantages);
      const DeviceArray old_logprobs(rows.old_logprobs), ref_logprobs(rows.ref_logprobs);
      const DeviceArray old_values(rows.old_values), returns(rows.returns);
      const auto [l, o, e] = on_every_schedule(
          [&] {
            const auto l = device_poisoned<float>(n), o = device_poisoned<float>(n), e = device_poisoned<float>(n);
            loss_forward(gpu(), {.kind = c.kind,
                                 .losses = l.data(),
                                 .d_output = o.data(),
                                 .d_entropy = e.data(),
                                 .stats = value ? nullptr : stats.data(),
                                 .values = value ? values.data() : nullptr,
                                 .weights = weights.data(),
                                 .advantages = advantages.data(),
                                 .old_logprobs = old_logprobs.data(),
                                 .ref_logprobs = ref_logprobs.data(),
                                 .old_values = old_values.data(),
                                 .returns = returns.data(),
                                 .rows = n,
                                 .coefficients = c.coefficients});
            return std::tuple(l.host(), o.host(), e.host());
          },
          context);
      // The exponential function of a device may differ by two units in the last place, and a difference of losses by more of its own.
      expect_close(l, losses, 1e-6, cat(context, " losses"));
      expect_close(o, d_output, 1e-6, cat(context, " d_output"));
      expect_close(e, d_entropy, 1e-6, cat(context, " d_entropy"));
    }
}

LIMR_TEST(loss_names_the_array_that_is_missing) {
  std::vector<float> out(3), weights(3, 1.0f);
  const std::vector<RowStats> stats(3);
  const Error error = expect_throws(Code::kShape, [&] {
    loss_forward(setups().front().ctx, {.kind = LossKind::kPolicy,
                                        .losses = out.data(),
                                        .d_output = out.data(),
                                        .d_entropy = out.data(),
                                        .stats = stats.data(),
                                        .values = nullptr,
                                        .weights = weights.data(),
                                        .advantages = weights.data(),
                                        .old_logprobs = nullptr,
                                        .ref_logprobs = nullptr,
                                        .old_values = nullptr,
                                        .returns = nullptr,
                                        .rows = 3,
                                        .coefficients = {}});
  });
  expect_contains(error.message(), "old_logprobs");
}

}  // namespace
}  // namespace limr::test
