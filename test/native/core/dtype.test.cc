#include "core/dtype.h"

#include <random>

#include "test.h"

namespace limr::test {
namespace {

LIMR_TEST(every_bf16_survives_f32) {
  for (uint32_t u = 0; u < 0x10000; ++u) {
    const float x = bf16_to_f32(bf16(u));
    if (std::isnan(x))
      expect_eq(f32_to_bf16(x), bf16(u | 0x40));  // a signaling NaN is made quiet
    else
      expect_eq(f32_to_bf16(x), bf16(u));
  }
}

LIMR_TEST(bf16_rounds_to_nearest_even) {
  std::mt19937 rng(1);
  for (int i = 0; i < 1'000'000; ++i) {
    const uint32_t u = i < 65536 ? uint32_t(i) << 16 | (0x7fff + i % 3) : rng();  // ties and their neighbours first
    const float x = std::bit_cast<float>(u);
    if (!std::isfinite(x)) continue;
    const bf16 below = bf16(u >> 16), above = bf16(below + 1);  // in magnitude
    const double lo = bf16_to_f32(below);
    // above the largest finite bf16 comes infinity, which stands for 2^128 here
    const double hi = (above & 0x7fff) == 0x7f80 ? std::copysign(0x1p128, x) : bf16_to_f32(above);
    const double to_lo = std::abs(x - lo), to_hi = std::abs(hi - x);
    const bf16 want = to_lo < to_hi ? below : to_hi < to_lo ? above : below % 2 == 0 ? below : above;
    if (f32_to_bf16(x) != want) expect_eq(f32_to_bf16(x), want, cat("bits ", u));
  }
}

LIMR_TEST(bf16_keeps_nan_and_infinity) {
  const float infinity = std::numeric_limits<float>::infinity();
  expect_eq(f32_to_bf16(infinity), bf16(0x7f80));
  expect_eq(f32_to_bf16(-infinity), bf16(0xff80));
  expect_eq(f32_to_bf16(std::numeric_limits<float>::max()), bf16(0x7f80));
  for (uint32_t u : {0x7f800001u, 0x7fffffffu, 0xff800001u, 0xffffffffu, 0x7fc00000u})
    expect(std::isnan(bf16_to_f32(f32_to_bf16(std::bit_cast<float>(u)))), cat("bits ", u));
}

LIMR_TEST(every_f16_is_what_ieee_says) {
  for (uint32_t h = 0; h < 0x10000; ++h) {
    const int exponent = h >> 10 & 31, fraction = h & 1023;
    const float x = f16_to_f32(uint16_t(h));
    if (exponent == 31 && fraction != 0) {
      expect(std::isnan(x));
      continue;
    }
    const double magnitude = exponent == 31  ? std::numeric_limits<double>::infinity()
                             : exponent == 0 ? std::ldexp(fraction, -24)
                                             : std::ldexp(1024 + fraction, exponent - 25);
    expect_eq(double(x), h & 0x8000 ? -magnitude : magnitude, cat("half ", h));
    expect_eq(std::signbit(x), (h & 0x8000) != 0, cat("half ", h));
  }
}

LIMR_TEST(dtypes_have_names_and_sizes) {
  expect_eq(std::string(dtype_name(DType::kBf16)), "BF16");
  expect_eq(std::string(dtype_name(DType::kF16)), "F16");
  expect_eq(std::string(dtype_name(DType::kF32)), "F32");
  expect_eq(std::string(dtype_name(DType::kI32)), "I32");
  expect_eq(dtype_bytes(DType::kBf16) + dtype_bytes(DType::kF16), 4);
  expect_eq(dtype_bytes(DType::kF32) + dtype_bytes(DType::kI32), 8);
}

}  // namespace
}  // namespace limr::test
