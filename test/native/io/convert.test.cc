#include "io/convert.h"

#include "test.h"

namespace limr::test {
namespace {

constexpr DType kTypes[] = {DType::kF32, DType::kBf16, DType::kF16};

// What the bits of an IEEE format with `exp_bits` and `man_bits` mean, in doubles, which hold both 16-bit formats.
double decode(uint32_t bits, int exp_bits, int man_bits) {
  const uint32_t man = bits & ((1u << man_bits) - 1), exp = (bits >> man_bits) & ((1u << exp_bits) - 1);
  const double sign = bits >> (exp_bits + man_bits) ? -1 : 1;
  const int bias = (1 << (exp_bits - 1)) - 1;
  if (exp == (1u << exp_bits) - 1) return man ? NAN : sign * INFINITY;
  if (exp == 0) return sign * std::ldexp(double(man), 1 - bias - man_bits);
  return sign * std::ldexp(double(man) + std::ldexp(1.0, man_bits), int(exp) - bias - man_bits);
}

// The nearest bf16, by comparing distances in doubles: those next to `x` toward zero and away from it, ties to the even
// one. Infinity stands at 2^128 for this purpose, as IEEE 754 says.
bf16 nearest_bf16(double x) {
  const double magnitude = std::abs(x);
  uint32_t low = 0, high = 0x7f80;  // decode is monotonic
  while (high - low > 1) {
    const uint32_t middle = (low + high) / 2;
    (decode(middle, 8, 7) <= magnitude ? low : high) = middle;
  }
  const double above = high == 0x7f80 ? 0x1p128 : decode(high, 8, 7);
  const double to_low = magnitude - decode(low, 8, 7), to_high = above - magnitude;
  const uint32_t result = std::isinf(x) ? 0x7f80 : to_low < to_high || (to_low == to_high && low % 2 == 0) ? low : high;
  return bf16(result | (std::signbit(x) ? 0x8000u : 0u));
}

bool is_nan(bf16 x) { return (x & 0x7fff) > 0x7f80; }

std::vector<uint16_t> all_16_bits() {
  std::vector<uint16_t> all(65536);
  for (size_t i = 0; i < all.size(); ++i) all[i] = uint16_t(i);
  return all;
}

LIMR_TEST(convert_every_f16_and_bf16_to_f32) {
  const auto inp = all_16_bits();
  for (const DType type : {DType::kF16, DType::kBf16}) {
    auto out = poisoned(65536);
    convert_to_f32(inp.data(), type, out.data(), 65536);
    for (uint32_t i = 0; i < 65536; ++i) {
      const double want = type == DType::kF16 ? decode(i, 5, 10) : decode(i, 8, 7);
      const std::string context = cat(dtype_name(type), " bits=", i, " got ", out[i], " want ", want);
      expect(std::isnan(want) ? std::isnan(out[i]) : double(out[i]) == want, context);
      expect(std::isnan(want) || std::signbit(out[i]) == std::signbit(want), context);
    }
  }
}

LIMR_TEST(convert_every_f16_and_bf16_to_bf16) {
  const auto inp = all_16_bits();
  auto out = poisoned<bf16>(65536);
  convert_to_bf16(inp.data(), DType::kBf16, out.data(), 65536);
  expect_bits(out, inp);
  convert_to_bf16(inp.data(), DType::kF16, out.data(), 65536);
  for (uint32_t i = 0; i < 65536; ++i) {
    const double x = decode(i, 5, 10);
    expect(std::isnan(x) ? is_nan(out[i]) : out[i] == nearest_bf16(x), cat("f16 bits=", i, " got ", out[i]));
  }
}

LIMR_TEST(convert_f32_to_bf16_rounds_to_nearest_even) {
  // Every upper half, with lower halves on, next to and far from the midpoint: ties, denormals, overflow to infinity.
  const uint32_t lower[] = {0, 1, 0x3fff, 0x7fff, 0x8000, 0x8001, 0xc000, 0xffff};
  std::vector<float> inp;
  for (uint32_t upper = 0; upper < 65536; ++upper)
    for (const uint32_t low : lower) inp.push_back(std::bit_cast<float>(upper << 16 | low));
  auto out = poisoned<bf16>(int64_t(inp.size()));
  convert_to_bf16(inp.data(), DType::kF32, out.data(), int64_t(inp.size()));
  for (size_t i = 0; i < inp.size(); ++i)
    expect(std::isnan(inp[i]) ? is_nan(out[i]) : out[i] == nearest_bf16(inp[i]),
           cat("bits=", std::bit_cast<uint32_t>(inp[i]), " got ", out[i]));
}

LIMR_TEST(convert_f32_to_f32_keeps_the_bits) {
  const std::vector<float> inp{0.0f, -0.0f, 1e-45f, INFINITY, std::bit_cast<float>(0x7f800001u), 1.5f};
  auto out = poisoned(6);
  convert_to_f32(inp.data(), DType::kF32, out.data(), 6);
  expect_bits(out, inp);
}

LIMR_TEST(convert_lengths_around_a_vector) {
  for (const DType type : kTypes)
    for (int64_t n = 0; n < 40; ++n) {
      std::vector<char> inp(size_t(n * dtype_bytes(type)), 0);
      std::vector<float> f32(size_t(n) + 1, 7.0f);
      std::vector<bf16> half(size_t(n) + 1, 7);
      convert_to_f32(inp.data(), type, f32.data(), n);
      convert_to_bf16(inp.data(), type, half.data(), n);
      for (size_t i = 0; i < size_t(n); ++i) expect(f32[i] == 0 && half[i] == 0, cat("n=", n));
      expect(f32[size_t(n)] == 7.0f && half[size_t(n)] == 7, cat("wrote past n=", n));
    }
  float out;
  expect_throws(Code::kInternal, [&] { convert_to_f32("", DType::kI32, &out, 0); });
}

}  // namespace
}  // namespace limr::test
