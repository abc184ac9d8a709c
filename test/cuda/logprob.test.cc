#include "ops/logprob.h"

#include "fixture.h"
#include "ops/logit_rows.h"
#include "ops/ref/logprob.h"

namespace limr::test {
namespace {

std::vector<int64_t> vocabularies() {
  std::vector<int64_t> out{1, 2, 15, 17, 123, 1000};
  if (!small()) out.push_back(9001);  // more than one step of the widest block
  return out;
}

std::vector<float> flat(const std::vector<RowStats>& stats) {
  std::vector<float> out;
  for (const RowStats& s : stats) out.insert(out.end(), {s.max, s.log_sum, s.entropy, s.logprob});
  return out;
}

LIMR_TEST(cuda_logprob_is_the_reference) {
  Random rng(1);
  const float nan = std::numeric_limits<float>::quiet_NaN();
  for (int64_t V : vocabularies())
    for (float T : {0.4f, 1.0f}) {
      const std::string context = cat("V=", V, " T=", T);
      const auto logits = rows_of_all_kinds(rng, V);
      const auto targets = integers(rng, kRows, int32_t(V));
      const auto dlogprob = normal(rng, kRows), dentropy = normal(rng, kRows);
      const DeviceArray x(logits);
      const DeviceArray t(targets);
      const DeviceArray gl(dlogprob);
      const DeviceArray ge(dentropy);
      const int64_t padded = round_up(V, 2);
      const auto [stats, dlogits, without] = on_every_schedule(
          [&] {
            const DeviceArray stats(std::vector<RowStats>(kRows, RowStats{nan, nan, nan, nan}));
            logprob_forward(gpu(), {.stats = stats.data(),
                                    .logits = view(x.data(), kRows, V + 3),
                                    .targets = t.data(),
                                    .vocab_size = V,
                                    .temperature = T});
            const auto dlogits = device_poisoned<bf16>(kRows * padded), without = device_poisoned<bf16>(kRows * padded);
            LogprobBackward backward{.dlogits = view(dlogits.data(), kRows, padded),
                                     .logits = view(x.data(), kRows, V + 3),
                                     .stats = stats.data(),
                                     .targets = t.data(),
                                     .dlogprob = gl.data(),
                                     .dentropy = ge.data(),
                                     .vocab_size = V,
                                     .temperature = T};
            logprob_backward(gpu(), backward);
            backward.dlogits = view(without.data(), kRows, padded);
            backward.dentropy = nullptr;
            logprob_backward(gpu(), backward);
            return std::tuple(flat(stats.host()), dlogits.host(), without.host());
          },
          context);
      std::vector<RowStats> want(kRows);
      ref::logprob_forward({.stats = want.data(),
                            .logits = view(logits.data(), kRows, V + 3),
                            .targets = targets.data(),
                            .vocab_size = V,
                            .temperature = T});
      const auto expected = flat(want);
      for (size_t i = 0; i < expected.size(); ++i) {
        // f32 sums; of extreme rows log p is -2e4/T, of which f32 keeps 1e-3
        const double scale = std::max({1.0, std::abs(double(expected[i])), std::abs(double(expected[i / 4 * 4]))});
        expect(std::abs(stats[i] - expected[i]) <= 3e-6 * scale,
               cat(context, " row ", i / 4, " column ", i % 4, ": ", stats[i], ", want ", expected[i]));
      }
      for (bool entropy : {true, false}) {
        auto gradient = poisoned(kRows * padded);
        ref::logprob_backward({.dlogits = view(gradient.data(), kRows, padded),
                               .logits = view(logits.data(), kRows, V + 3),
                               .stats = nullptr,
                               .targets = targets.data(),
                               .dlogprob = dlogprob.data(),
                               .dentropy = entropy ? dentropy.data() : nullptr,
                               .vocab_size = V,
                               .temperature = T});
        if (V == 1) {  // p = 1: what is left of 1 - p is rounding alone
          for (bf16 d : entropy ? dlogits : without)
            expect(std::abs(bf16_to_f32(d)) < 1e-5f, cat(context, " one token"));
          continue;
        }
        expect_close(entropy ? dlogits : without, gradient, kBf16Unit, context);
      }
    }
}

LIMR_TEST(cuda_logprob_of_minus_infinity_adds_nothing) {
  std::vector<float> logits(600, -std::numeric_limits<float>::infinity());
  logits[7] = 1, logits[599] = 1;
  const DeviceArray x(logits);
  const DeviceArray stats(std::vector<RowStats>(1));
  logprob_forward(gpu(), {.stats = stats.data(),
                          .logits = view(x.data(), 1, 600),
                          .targets = nullptr,
                          .vocab_size = 600,
                          .temperature = 1});
  const RowStats s = stats.host()[0];
  expect_eq(s.max, 1.0f);
  expect_close(s.log_sum, std::log(2.0), 1e-6);
  expect_close(s.entropy, std::log(2.0), 1e-6);
}

}  // namespace
}  // namespace limr::test
