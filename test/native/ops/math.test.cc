// The elementary functions that kernels share, seen through a kernel that does little else.
#include <algorithm>
#include <cmath>
#include <limits>

#include "ops/cpu/table.h"
#include "ops/fixture.h"

namespace limr::test {
namespace {

std::vector<float> exponentials(const Context& ctx, const std::vector<float>& x) {
  auto out = poisoned(int64_t(x.size()));
  ctx.pool->parallel_for(1, 1, [&](int64_t, int64_t) { ctx.cpu->exp_row(out.data(), x.data(), out.size(), 1, 0); });
  return out;
}

LIMR_TEST(exp_is_within_an_ulp_and_a_half_everywhere) {
  std::vector<float> x;
  const int steps = small() ? 20'000 : 1'000'000;
  for (int i = 0; i <= steps; ++i) x.push_back(-87.3f + 175.3f * float(i) / float(steps));
  for (int e = -30; e < 0; ++e) x.push_back(std::ldexp(1.0f, e)), x.push_back(-std::ldexp(1.0f, e));
  const auto [got] = everywhere([&](const Context& ctx) { return std::tuple(exponentials(ctx, x)); }, "");
  double worst = 0;
  for (size_t i = 0; i < x.size(); ++i) {
    if (x[i] > 88) continue;
    const double want = std::exp(double(x[i]));
    const double ulp = std::ldexp(1.0, std::ilogb(want) - 23);
    worst = std::max(worst, std::abs(got[i] - want) / ulp);
  }
  expect(worst < 1.5, cat("worst error ", worst, " ulp"));
}

LIMR_TEST(exp_at_its_limits) {
  const float infinity = std::numeric_limits<float>::infinity(), nan = std::numeric_limits<float>::quiet_NaN();
  const std::vector<float> x{0, -0.0f, -87.31f, -1e30f, -infinity, 88.0f, 1e30f, infinity, nan, 1e-40f};
  for (const Setup& s : setups()) {
    const auto got = exponentials(s.ctx, x);
    expect_eq(std::vector(got.begin(), got.begin() + 5), std::vector<float>{1, 1, 0, 0, 0}, s.name);
    expect(got[6] == got[5] && got[7] == got[5] && std::isfinite(got[5]), s.name);  // saturates at e^88
    expect(std::isnan(got[8]), s.name);
    expect_eq(got[9], 1.0f, s.name);
  }
}

}  // namespace
}  // namespace limr::test
