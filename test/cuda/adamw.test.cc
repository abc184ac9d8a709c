#include "ops/adamw.h"

#include <numeric>

#include "fixture.h"
#include "ops/ref/adamw.h"

namespace limr::test {
namespace {

struct State {
  std::vector<bf16> weight;
  std::vector<uint16_t> remainder;
  std::vector<uint8_t> m, v;            // in their format
  std::vector<float> m_scale, v_scale;  // 8 bits only
  std::vector<float> master() const {
    std::vector<float> out(weight.size());
    for (size_t i = 0; i < out.size(); ++i) out[i] = join_master(weight[i], remainder[i]);
    return out;
  }
};

struct Codebooks {
  std::vector<float> entries;
  Codebooks() {
    for (bool with_sign : {true, false})
      for (float x : dynamic_codebook(with_sign)) entries.push_back(x);
  }
};

State initial(Random& rng, int64_t n, MomentFormat format) {
  State s{.weight = std::vector<bf16>(n),
          .remainder = std::vector<uint16_t>(n),
          .m = std::vector<uint8_t>(n * moment_bytes(format)),
          .v = std::vector<uint8_t>(n * moment_bytes(format)),
          .m_scale = std::vector<float>((n + 255) / 256),
          .v_scale = std::vector<float>((n + 255) / 256)};
  const auto master = normal(rng, n);
  for (int64_t i = 0; i < n; ++i) split_master(master[i], &s.weight[i], &s.remainder[i]);
  if (format == MomentFormat::kCode8) {  // code 127 of the signed book is 0, as code 0 of the other
    const auto book = dynamic_codebook(true);
    const auto zero = uint8_t(std::find(book.begin(), book.end(), 0.0f) - book.begin());
    std::fill(s.m.begin(), s.m.end(), zero);
  }
  return s;
}

AdamW operation(int64_t n, MomentFormat format, int64_t step) {
  return {.weight = nullptr,
          .remainder = nullptr,
          .exp_avg = {},
          .exp_avg_sq = {},
          .format = format,
          .codebooks = nullptr,
          .grad = nullptr,
          .n = n,
          .grad_scale = 0.5f,
          .lr = 1e-3,
          .beta1 = 0.9,
          .beta2 = 0.95,
          .eps = 1e-8,
          .weight_decay = 0.1,
          .step = step};
}

LIMR_TEST(cuda_adamw_is_the_reference) {
  Random rng(1);
  const Codebooks books;
  const DeviceArray device_books(books.entries);
  for (const MomentFormat format : {MomentFormat::kF32, MomentFormat::kBf16, MomentFormat::kCode8})
    for (int64_t n : {1, 255, 256, 700}) {
      const std::string context = cat("format=", int(format), " n=", n);
      State host = initial(rng, n, format);
      const State begin = host;
      std::vector<std::vector<float>> grads;
      for (int t = 0; t < 3; ++t) grads.push_back(normal(rng, n, t == 1 ? 1e-3f : 1.0f));
      if (n > 3) grads[0][3] = grads[1][3] = grads[2][3] = 0;  // v stays 0
      const auto [weight, remainder, m, v, m_scale, v_scale] = on_every_schedule(
          [&] {
            const DeviceArray weight(begin.weight);
            const DeviceArray remainder(begin.remainder);
            const DeviceArray m(begin.m);
            const DeviceArray v(begin.v);
            const DeviceArray m_scale(begin.m_scale);
            const DeviceArray v_scale(begin.v_scale);
            for (int64_t t = 0; t < 3; ++t) {
              const DeviceArray grad(grads[t]);
              AdamW op = operation(n, format, t + 1);
              op.weight = weight.data(), op.remainder = remainder.data(), op.grad = grad.data();
              op.exp_avg = {m.data(), m_scale.data()}, op.exp_avg_sq = {v.data(), v_scale.data()};
              op.codebooks = device_books.data();
              adamw(gpu(), op);
            }
            return std::tuple(weight.host(), remainder.host(), m.host(), v.host(), m_scale.host(), v_scale.host());
          },
          context);
      for (int64_t t = 0; t < 3; ++t) {
        AdamW op = operation(n, format, t + 1);
        op.weight = host.weight.data(), op.remainder = host.remainder.data(), op.grad = grads[t].data();
        op.exp_avg = {host.m.data(), host.m_scale.data()}, op.exp_avg_sq = {host.v.data(), host.v_scale.data()};
        op.codebooks = books.entries.data();
        ref::adamw(op);
      }
      State got = begin;
      got.weight = weight, got.remainder = remainder;
      // f32 moments: each step rounds a few times. Others: a moment next to the edge of two codes may take the other one,
      // which moves that update by a code's width; few do.
      const auto masters = got.master(), want = host.master();
      int64_t differ = 0;
      for (int64_t i = 0; i < n; ++i)
        differ += std::abs(masters[i] - want[i]) > 2e-6f * std::max(1.0f, std::abs(want[i]));
      expect(format == MomentFormat::kF32 ? differ == 0 : differ <= n / 50 + 1, cat(context, ": ", differ, " differ"));
      if (format == MomentFormat::kF32) {
        const auto floats = [&](const std::vector<uint8_t>& bytes) {
          std::vector<float> out(bytes.size() / 4);
          std::memcpy(out.data(), bytes.data(), bytes.size());
          return out;
        };
        expect_close(floats(m), floats(host.m), 1e-6, context);
        expect_close(floats(v), floats(host.v), 1e-6, context);
      } else {
        int64_t codes = 0;
        for (size_t i = 0; i < m.size(); ++i) codes += (m[i] != host.m[i]) + (v[i] != host.v[i]);
        expect(codes <= int64_t(m.size()) / 50 + 1, cat(context, ": ", codes, " codes differ"));
        if (format == MomentFormat::kCode8) {
          expect_close(m_scale, host.m_scale, 2e-6, context);
          expect_close(v_scale, host.v_scale, 2e-6, context);
        }
      }
    }
}

LIMR_TEST(cuda_sum_of_squares_is_the_reference) {
  Random rng(2);
  std::vector<int64_t> sizes{0, 1, 9, 5000, 16384};
  if (!small()) sizes.push_back(3 * 16384 + 77);
  for (int64_t n : sizes) {
    const auto data = normal(rng, n);
    const DeviceArray x(data);
    const auto [total] = on_every_schedule(
        [&] {
          const auto partial = device_poisoned<double>(sum_squares_partials(n));
          return std::tuple(
              std::vector<double>{sum_squares(gpu(), {.data = x.data(), .n = n, .partial = partial.data()})});
        },
        cat("n=", n));
    std::vector<double> partial(sum_squares_partials(n));
    expect_close(total[0], ref::sum_squares({.data = data.data(), .n = n, .partial = partial.data()}), 1e-6,
                 cat("n=", n));
  }
}

}  // namespace
}  // namespace limr::test
