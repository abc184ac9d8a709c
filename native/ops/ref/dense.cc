#include "ops/ref/dense.h"

namespace limr::ref {
namespace {

double get(const View& v, int64_t row, int64_t col) {
  const int64_t at = row * v.stride + col;
  return v.dtype == DType::kF32 ? double(v.as<float>()[at]) : double(bf16_to_f32(v.as<bf16>()[at]));
}

void set(const View& v, int64_t row, int64_t col, double x) {
  const int64_t at = row * v.stride + col;
  if (v.dtype == DType::kF32)
    v.as<float>()[at] = float(x);
  else
    v.as<bf16>()[at] = f32_to_bf16(float(x));
}

}  // namespace

std::vector<double> dense(const View& v) {
  std::vector<double> out;
  if (!v) return out;
  LIMR_ASSERT(v.dtype == DType::kF32 || v.dtype == DType::kBf16);
  out.reserve(size_t(v.rows * v.cols));
  for (int64_t r = 0; r < v.rows; ++r)
    for (int64_t c = 0; c < v.cols; ++c) out.push_back(get(v, r, c));
  return out;
}

std::vector<double> dense(const PackedWeight& w) {
  std::vector<double> out(size_t(w.rows * w.cols));
  for (int64_t n = 0; n < w.rows; ++n)
    for (int64_t k = 0; k < w.cols; ++k) out[n * w.cols + k] = bf16_to_f32(w.panels[packed_index(n, k, w.cols)]);
  return out;
}

void store(const View& v, const std::vector<double>& values) {
  if (!v) return;
  LIMR_ASSERT(int64_t(values.size()) == v.rows * v.cols);
  for (int64_t r = 0; r < v.rows; ++r)
    for (int64_t c = 0; c < v.cols; ++c) set(v, r, c, values[r * v.cols + c]);
}

void accumulate(const View& v, const std::vector<double>& values) {
  if (!v) return;
  LIMR_ASSERT(int64_t(values.size()) == v.rows * v.cols);
  for (int64_t r = 0; r < v.rows; ++r)
    for (int64_t c = 0; c < v.cols; ++c) set(v, r, c, get(v, r, c) + values[r * v.cols + c]);
}

void accumulate(float* packed, int64_t rows, int64_t cols, const std::vector<double>& values) {
  for (int64_t n = 0; n < rows; ++n)
    for (int64_t k = 0; k < cols; ++k) {
      float& g = packed[packed_index(n, k, cols)];
      g = float(g + values[n * cols + k]);
    }
}

}  // namespace limr::ref
