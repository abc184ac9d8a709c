#include "ops/sample.h"

#include <algorithm>
#include <cmath>
#include <set>

#include "ops/fixture.h"
#include "ops/ref/logprob.h"
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
  SampleForward op() const {
    return {.out = nullptr,
            .logits = view(data.data(), R, V),
            .rows = rows.data(),
            .vocab_size = V,
            .temperature = 1,
            .logprob_temperature = 1,
            .top_k = 0,
            .top_p = 1,
            .min_p = 0,
            .banned = nullptr,
            .num_banned = 0,
            .eos = nullptr,
            .num_eos = 0,
            .scratch = nullptr};
  }
};

struct Drawn {
  std::vector<int32_t> tokens;
  std::vector<float> logprobs;
};

Drawn draw(const Context& ctx, SampleForward op) {
  const Scratch scratch(sample_scratch_bytes(ctx.target(), op.logits.rows, op.vocab_size));
  std::vector<Sampled> out(op.logits.rows, Sampled{-7, std::numeric_limits<float>::quiet_NaN()});
  op.out = out.data();
  op.scratch = scratch.data();
  sample_forward(ctx, op);
  Drawn drawn;
  for (const Sampled& s : out) drawn.tokens.push_back(s.token), drawn.logprobs.push_back(s.logprob);
  return drawn;
}

LIMR_TEST(sampling_is_the_reference_everywhere) {
  Random rng(1);
  struct Setting {
    float temperature, logprob_temperature;
    int64_t top_k;
    float top_p, min_p;
  };
  const Setting settings[] = {
      {1, 1, 0, 1, 0},       {0.6f, 0.6f, 0, 1, 0}, {1.2f, 1, 5, 1, 0},         {1, 1, 0, 0.95f, 0},
      {1, 0.5f, 0, 0.3f, 0}, {1, 1, 0, 1, 0.1f},    {0.8f, 1, 20, 0.9f, 0.05f}, {1, 1, 1, 1, 0},
      {1, 1, 0, 1e-6f, 0},   {0, 1, 0, 1, 0},       {1, 1, 1000, 1, 1}};
  for (int64_t V : {1, 2, 17, 50, 1003}) {
    const Logits logits(rng, 300, V);
    const auto banned = V > 2 ? integers(rng, 3, int32_t(V)) : std::vector<int32_t>{};
    const auto eos = V > 1 ? std::vector<int32_t>{int32_t(V - 1)} : std::vector<int32_t>{};
    for (const Setting& s : settings) {
      const std::string context =
          cat("V=", V, " T=", s.temperature, " top_k=", s.top_k, " top_p=", s.top_p, " min_p=", s.min_p);
      SampleForward op = logits.op();
      op.temperature = s.temperature, op.logprob_temperature = s.logprob_temperature;
      op.top_k = s.top_k, op.top_p = s.top_p, op.min_p = s.min_p;
      op.banned = banned.data(), op.num_banned = int64_t(banned.size());
      op.eos = eos.data(), op.num_eos = int64_t(eos.size());
      const auto [tokens, logprobs] = everywhere(
          [&](const Context& ctx) {
            const Drawn d = draw(ctx, op);
            return std::tuple(d.tokens, d.logprobs);
          },
          context);
      std::vector<Sampled> out(op.logits.rows);
      op.out = out.data();
      ref::sample_forward(op);
      std::vector<int32_t> want;
      std::vector<float> want_logprobs;
      for (const Sampled& x : out) want.push_back(x.token), want_logprobs.push_back(x.logprob);
      // a draw within 1e-6 of the edge between two tokens may fall on either side; with these seeds none does
      expect_eq(tokens, want, context);
      expect_close(logprobs, want_logprobs, 2e-6, context);  // as in logprob.test.cc
    }
  }
}

LIMR_TEST(a_sampled_logprob_has_the_bits_of_a_scored_one) {
  Random rng(2);
  const Logits logits(rng, 100, 1003);
  for (const Setup& s : setups())
    for (float T : {0.0f, 0.6f, 1.0f}) {
      SampleForward op = logits.op();
      op.temperature = T;
      op.logprob_temperature = T > 0 ? T : 1;
      op.top_k = 3;
      const Drawn drawn = draw(s.ctx, op);
      std::vector<RowStats> stats(logits.R);
      logprob_forward(s.ctx, {.stats = stats.data(),
                              .logits = op.logits,
                              .targets = drawn.tokens.data(),
                              .vocab_size = logits.V,
                              .temperature = op.logprob_temperature});
      std::vector<float> scored;
      for (const RowStats& x : stats) scored.push_back(x.logprob);
      expect_bits(drawn.logprobs, scored, cat(s.name, " T=", T));
    }
}

LIMR_TEST(tokens_are_drawn_as_often_as_their_probability_says) {
  const int64_t R = small() ? 4000 : 40'000;
  const std::vector<float> p{0.5f, 0.25f, 0.15f, 0.1f};
  Random rng(3);
  Logits logits(rng, R, 4);
  for (int64_t i = 0; i < R * 4; ++i) logits.data[i] = std::log(p[i % 4]);
  const Drawn drawn = draw(setups().front().ctx, logits.op());
  std::vector<double> count(4);
  for (int32_t t : drawn.tokens) count[t] += 1 / double(R);
  for (int i = 0; i < 4; ++i)  // five standard errors
    expect(std::abs(count[i] - p[i]) < 5 * std::sqrt(p[i] * (1 - p[i]) / double(R)), cat("token ", i, ": ", count[i]));
}

LIMR_TEST(a_draw_depends_on_its_row_and_key_alone) {
  Random rng(4);
  const Logits logits(rng, 40, 101);
  for (const Setup& s : setups()) {
    SampleForward op = logits.op();
    op.top_p = 0.9f;
    const Drawn all = draw(s.ctx, op);
    for (int64_t r = 0; r < logits.R; ++r) {
      SampleForward one = op;
      one.logits = op.logits.slice(r, r + 1);
      one.rows = op.rows + r;
      expect_eq(draw(s.ctx, one).tokens[0], all.tokens[r], cat(s.name, " row ", r));
    }
  }
}

LIMR_TEST(equal_logits_go_to_the_lower_id) {
  Random rng(5);
  Logits logits(rng, 200, 10);
  std::fill(logits.data.begin(), logits.data.end(), 1.5f);
  for (const Setup& s : setups()) {
    SampleForward op = logits.op();
    op.temperature = 0;
    for (int32_t t : draw(s.ctx, op).tokens) expect_eq(t, 0, s.name);
    op.temperature = 1;
    op.top_k = 3;
    const auto k = draw(s.ctx, op).tokens;
    expect_eq(std::set<int32_t>(k.begin(), k.end()), std::set<int32_t>{0, 1, 2}, s.name);
    op.top_k = 0;
    op.top_p = 0.35f;  // the fourth takes the sum from 0.3 past 0.35
    const auto p = draw(s.ctx, op).tokens;
    expect_eq(std::set<int32_t>(p.begin(), p.end()), std::set<int32_t>{0, 1, 2, 3}, s.name);
  }
}

LIMR_TEST(sampling_refuses_rows_without_a_token) {
  Random rng(6);
  Logits logits(rng, 3, 20);
  const std::vector<int32_t> everything{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19};
  for (const Setup& s : setups()) {
    SampleForward op = logits.op();
    op.banned = everything.data(), op.num_banned = 20;
    for (float T : {0.0f, 1.0f}) {
      op.temperature = T;
      expect_throws(
          Code::kUsage, [&] { draw(s.ctx, op); }, s.name);
    }
  }
  for (float broken : {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity()}) {
    Logits bad = logits;
    bad.data[20 + 13] = broken;
    for (const Setup& s : setups())
      expect_contains(expect_throws(
                          Code::kNumeric, [&] { draw(s.ctx, bad.op()); }, s.name)
                          .message(),
                      "row 1 of the logits is not finite", s.name);
  }
}

LIMR_TEST(sampling_of_no_rows_touches_nothing) {
  Random rng(7);
  const Logits logits(rng, 0, 20);
  for (const Setup& s : setups()) expect(draw(s.ctx, logits.op()).tokens.empty(), s.name);
}

LIMR_TEST(sampling_names_the_view_that_disagrees) {
  Random rng(8);
  const Logits logits(rng, 2, 20);
  SampleForward op = logits.op();
  op.vocab_size = 21;
  expect_eq(expect_throws(Code::kShape, [&] { draw(setups().front().ctx, op); }).message(),
            "sample_forward: logits is F32[2, 20], expected F32[2, 21]");
}

}  // namespace
}  // namespace limr::test
