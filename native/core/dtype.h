// native/core/dtype.h - element types and their conversions.
#pragma once
#include <bit>
#include <cstdint>

namespace limr {

enum class DType : uint8_t { kF32, kBf16, kF16, kI32 };

using bf16 = uint16_t;  // the upper 16 bits of an IEEE binary32

inline int64_t dtype_bytes(DType t) { return t == DType::kF32 || t == DType::kI32 ? 4 : 2; }
inline const char* dtype_name(DType t) {
  return t == DType::kF32 ? "F32" : t == DType::kBf16 ? "BF16" : t == DType::kF16 ? "F16" : "I32";
}

inline float bf16_to_f32(bf16 x) { return std::bit_cast<float>(uint32_t(x) << 16); }

// Round to nearest, ties to even. NaN stays NaN (quiet).
inline bf16 f32_to_bf16(float x) {
  const uint32_t u = std::bit_cast<uint32_t>(x);
  if ((u & 0x7fffffffu) > 0x7f800000u) return bf16((u >> 16) | 0x40u);
  return bf16((u + 0x7fffu + ((u >> 16) & 1u)) >> 16);
}

// IEEE binary16 to binary32, exact.
inline float f16_to_f32(uint16_t h) {
  const uint32_t sign = uint32_t(h & 0x8000u) << 16, exp = (h >> 10) & 0x1fu, man = h & 0x3ffu;
  if (exp == 31) return std::bit_cast<float>(sign | 0x7f800000u | (man << 13));
  if (exp != 0) return std::bit_cast<float>(sign | ((exp + 112) << 23) | (man << 13));
  const float magnitude = float(man) * 0x1p-24f;
  return sign ? -magnitude : magnitude;
}

}  // namespace limr
