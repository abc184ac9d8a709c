#include "io/convert.h"

#include <cstring>

#include "core/error.h"

namespace limr {
namespace {

template <typename In, typename Out, typename F>
void map(const void* inp, Out* __restrict out, int64_t n, F f) {
  const In* __restrict from = static_cast<const In*>(inp);
  for (int64_t i = 0; i < n; ++i) out[i] = f(from[i]);
}

}  // namespace

void convert_to_f32(const void* inp, DType from, float* out, int64_t n) {
  switch (from) {
    case DType::kF32:
      if (n > 0) std::memcpy(out, inp, size_t(n) * sizeof(float));
      return;
    case DType::kBf16:
      return map<bf16>(inp, out, n, [](bf16 x) { return bf16_to_f32(x); });
    case DType::kF16:
      return map<uint16_t>(inp, out, n, [](uint16_t x) { return f16_to_f32(x); });
    default:
      throw Error(Code::kInternal, cat("no conversion of ", dtype_name(from), " to F32"));
  }
}

void convert_to_bf16(const void* inp, DType from, bf16* out, int64_t n) {
  switch (from) {
    case DType::kF32:
      return map<float>(inp, out, n, [](float x) { return f32_to_bf16(x); });
    case DType::kBf16:
      if (n > 0) std::memcpy(out, inp, size_t(n) * sizeof(bf16));
      return;
    case DType::kF16:
      return map<uint16_t>(inp, out, n, [](uint16_t x) { return f32_to_bf16(f16_to_f32(x)); });
    default:
      throw Error(Code::kInternal, cat("no conversion of ", dtype_name(from), " to BF16"));
  }
}

}  // namespace limr
