#include "ops/sample.h"

#include "fixture.h"
#include "ops/logprob.h"
#include "ops/ref/sample.h"

namespace limr::test {
namespace {

struct Logits {
  int64_t R, V;
  std::vector<float> data;
  std::vector<SampleRow> rows;
  Logits(Random& rng, int64_t R, int64_t V) : R(R), V(V), data(normal(rng, R * V, 3)) {
    for (int64_t r = 0; r < R; ++r)
      rows.push_back({.key = {.seed = 7, .purpose = 1, .rollout = 2, .row = uint32_t(r), .sample = 3, .position = 4},
                      .forbid_eos = r % 2 == 1});
  }
};

struct Setting {
  float temperature, logprob_temperature;
  int64_t top_k;
  float top_p, min_p;
  std::string text() const { return cat("T=", temperature, " top_k=", top_k, " top_p=", top_p, " min_p=", min_p); }
};

struct Drawn {
  std::vector<int32_t> tokens;
  std::vector<float> logprobs;
};

Drawn split(const std::vector<Sampled>& sampled) {
  Drawn d;
  for (const Sampled& s : sampled) d.tokens.push_back(s.token), d.logprobs.push_back(s.logprob);
  return d;
}

SampleForward operation(const Logits& logits, const Setting& s, const std::vector<int32_t>& banned,
                        const std::vector<int32_t>& eos) {
  return {.out = nullptr,
          .logits = view(logits.data.data(), logits.R, logits.V),
          .rows = logits.rows.data(),
          .vocab_size = logits.V,
          .temperature = s.temperature,
          .logprob_temperature = s.logprob_temperature,
          .top_k = s.top_k,
          .top_p = s.top_p,
          .min_p = s.min_p,
          .banned = banned.data(),
          .num_banned = int64_t(banned.size()),
          .eos = eos.data(),
          .num_eos = int64_t(eos.size()),
          .scratch = nullptr};
}

// The device's answer; it may overwrite the logits, so it gets its own each time.
std::vector<Sampled> draw(const Logits& logits, const Setting& s, const std::vector<int32_t>& banned,
                          const std::vector<int32_t>& eos) {
  const DeviceArray x(logits.data);
  const DeviceArray b(banned);
  const DeviceArray e(eos);
  const DeviceArray rows(logits.rows);
  const DeviceArray out(std::vector<Sampled>(logits.R, Sampled{-7, 0}));
  const auto scratch = device_scratch(sample_scratch_bytes(gpu().target(), logits.R, logits.V));
  SampleForward op = operation(logits, s, banned, eos);
  op.out = out.data();
  op.logits = view(x.data(), logits.R, logits.V);
  op.rows = rows.data(), op.banned = b.data(), op.eos = e.data(), op.scratch = scratch.data();
  sample_forward(gpu(), op);
  return out.host();
}

const Setting kSettings[] = {
    {1, 1, 0, 1, 0},       {0.6f, 0.6f, 0, 1, 0}, {1.2f, 1, 5, 1, 0},         {1, 1, 0, 0.95f, 0},
    {1, 0.5f, 0, 0.3f, 0}, {1, 1, 0, 1, 0.1f},    {0.8f, 1, 20, 0.9f, 0.05f}, {1, 1, 1, 1, 0},
    {1, 1, 0, 1e-6f, 0},   {0, 1, 0, 1, 0},       {1, 1, 1000, 1, 1}};

LIMR_TEST(cuda_sampling_is_the_reference) {
  Random rng(1);
  for (int64_t V : {1, 2, 17, 50, 1003}) {
    const Logits logits(rng, small() ? 4 : V > 1000 ? 12 : 40, V);
    const auto banned = V > 2 ? integers(rng, 3, int32_t(V)) : std::vector<int32_t>{};
    const auto eos = V > 1 ? std::vector<int32_t>{int32_t(V - 1)} : std::vector<int32_t>{};
    for (const Setting& s : kSettings) {
      const std::string context = cat("V=", V, " ", s.text());
      const auto [tokens, logprobs] = on_every_schedule(
          [&] {
            const Drawn d = split(draw(logits, s, banned, eos));
            return std::tuple(d.tokens, d.logprobs);
          },
          context);
      std::vector<Sampled> out(logits.R);
      SampleForward op = operation(logits, s, banned, eos);
      op.out = out.data();
      ref::sample_forward(op);
      const Drawn want = split(out);
      // a draw within 1e-6 of the edge between two tokens may fall on either side; with these seeds none does
      expect_eq(tokens, want.tokens, context);
      for (size_t r = 0; r < logprobs.size(); ++r)  // an f32 difference of numbers up to about 10
        expect(std::abs(logprobs[r] - want.logprobs[r]) <= 2e-6 * std::max(1.0f, std::abs(want.logprobs[r])),
               cat(context, " row ", r, ": ", logprobs[r], ", want ", want.logprobs[r]));
    }
  }
}

LIMR_TEST(cuda_sampling_breaks_ties_by_the_lower_id) {
  Random rng(2);
  Logits logits(rng, 64, 200);
  for (size_t i = 0; i < logits.data.size(); ++i) logits.data[i] = float(int(rng() % 3));  // dozens of equal ones
  for (const Setting& s :
       {Setting{0, 1, 0, 1, 0}, Setting{1, 1, 10, 1, 0}, Setting{1, 1, 0, 0.5f, 0}, Setting{1, 1, 90, 0.3f, 0}}) {
    const Drawn got = split(draw(logits, s, {}, {}));
    std::vector<Sampled> out(logits.R);
    const std::vector<int32_t> none;
    SampleForward op = operation(logits, s, none, none);
    op.out = out.data();
    ref::sample_forward(op);
    expect_eq(got.tokens, split(out).tokens, s.text());
  }
}

LIMR_TEST(cuda_sampled_logprobs_have_the_bits_of_scored_ones) {
  Random rng(3);
  for (int64_t V : {17, 1003}) {
    const Logits logits(rng, 16, V);
    const DeviceArray x(logits.data);
    for (float T : {0.0f, 0.6f, 1.0f}) {
      const Setting s{T, T > 0 ? T : 1, 3, 1, 0};
      const Drawn drawn = split(draw(logits, s, {0}, {}));
      const DeviceArray targets(drawn.tokens);
      const DeviceArray stats(std::vector<RowStats>(logits.R));
      logprob_forward(gpu(), {.stats = stats.data(),
                              .logits = view(x.data(), logits.R, V),
                              .targets = targets.data(),
                              .vocab_size = V,
                              .temperature = s.logprob_temperature});
      std::vector<float> scored;
      for (const RowStats& r : stats.host()) scored.push_back(r.logprob);
      expect_bits(drawn.logprobs, scored, cat("V=", V, " T=", T));
    }
  }
}

LIMR_TEST(cuda_sampling_says_what_cannot_be_drawn) {
  Random rng(4);
  Logits logits(rng, 4, 40);
  const float infinity = std::numeric_limits<float>::infinity();
  logits.data[40 + 3] = std::numeric_limits<float>::quiet_NaN();
  logits.data[80 + 39] = infinity;
  for (int64_t v = 0; v < 40; ++v) logits.data[120 + v] = -infinity;
  const Setting s{1, 1, 0, 0.9f, 0};
  const Drawn drawn = split(draw(logits, s, {}, {}));
  expect(drawn.tokens[0] >= 0);
  expect_eq(drawn.tokens[1], kNotFinite);
  expect_eq(drawn.tokens[2], kNotFinite);
  expect_eq(drawn.tokens[3], kNotFinite);
  std::vector<int32_t> all(40);
  for (int32_t v = 0; v < 40; ++v) all[v] = v;
  const Logits fine(rng, 2, 40);
  expect_eq(split(draw(fine, s, all, {})).tokens, std::vector<int32_t>{kNothingAllowed, kNothingAllowed});
  all.pop_back();
  expect_eq(split(draw(fine, s, all, {})).tokens, std::vector<int32_t>{39, 39});
}

}  // namespace
}  // namespace limr::test
