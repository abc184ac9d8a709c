#include "core/rng.h"

#include <set>

#include "test.h"

namespace limr::test {
namespace {

using Block = std::array<uint32_t, 4>;

// The known answers that Random123 publishes for philox4x32-10 (tests/kat_vectors in its repository).
LIMR_TEST(philox_gives_the_published_vectors) {
  expect_eq(philox({0, 0, 0, 0}, {0, 0}), Block{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8});
  const uint32_t ones = 0xffffffff;
  expect_eq(philox({ones, ones, ones, ones}, {ones, ones}), Block{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd});
  expect_eq(philox({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, {0xa4093822, 0x299f31d0}),
            Block{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1});
}

LIMR_TEST(uniform_takes_53_bits_of_the_first_two_words) {
  // philox of zero starts 6627e8d5 e169c58d; the top 53 bits of that 64-bit number, as a fraction
  expect_eq(uniform({}), double(0x6627e8d5e169c58dull >> 11) * 0x1p-53);
}

LIMR_TEST(uniform_depends_on_every_word_and_lies_in_0_1) {
  std::set<double> seen{uniform({})};
  for (int bit = 0; bit < 32; ++bit)
    for (int word = 0; word < 6; ++word) {
      RngKey key;
      uint32_t* words[] = {&key.seed, &key.purpose, &key.rollout, &key.row, &key.sample, &key.position};
      *words[word] = 1u << bit;
      seen.insert(uniform(key));
    }
  expect_eq(seen.size(), size_t(1 + 32 * 6));
  double sum = 0, squares = 0;
  const uint32_t n = small() ? 10'000 : 1'000'000;
  for (uint32_t i = 0; i < n; ++i) {
    const double u = uniform({.seed = 7, .purpose = 1, .rollout = 2, .row = i / 100, .sample = 3, .position = i % 100});
    expect(u >= 0 && u < 1);
    sum += u, squares += u * u;
  }
  // mean 1/2 and second moment 1/3, each within five standard errors: 0.289 / sqrt(n) and 0.298 / sqrt(n)
  expect_close(sum / n, 0.5, 2 * 5 * 0.289 / std::sqrt(n));
  expect_close(squares / n, 1.0 / 3, 3 * 5 * 0.298 / std::sqrt(n));
}

}  // namespace
}  // namespace limr::test
