// test/native/ops/logit_rows.h - rows of logits of every kind, for the tests of log-probs on each device.
#pragma once
#include <cmath>
#include <limits>

#include "ops/fixture.h"

namespace limr::test {

constexpr int64_t kRows = 5;

// Rows [R, V + 3] whose last three columns are no logits but NaN: of a model, near one-hot, flat, extreme, equal.
inline std::vector<float> rows_of_all_kinds(Random& rng, int64_t V) {
  std::vector<float> out;
  const auto row = [&](std::vector<float> x) {
    out.insert(out.end(), x.begin(), x.end());
    out.insert(out.end(), 3, std::numeric_limits<float>::quiet_NaN());
  };
  row(normal(rng, V, 3));
  auto peaked = normal(rng, V);
  peaked[rng() % V] += 30;
  row(peaked);
  row(normal(rng, V, 1e-3f));
  auto extreme = normal(rng, V);
  for (float& x : extreme) x = std::copysign(1e4f, x);
  row(extreme);
  row(std::vector<float>(V, -7.25f));
  return out;
}

}  // namespace limr::test
