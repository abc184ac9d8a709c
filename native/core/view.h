// native/core/view.h - a typed [rows, cols] window on memory that somebody else owns.
#pragma once
#include <cstdint>
#include <string>

#include "core/dtype.h"
#include "core/error.h"

namespace limr {

// Row-major; row r starts at data + r * stride elements. A vector is [1, C]. Null data means "absent".
struct View {
  void* data = nullptr;
  int64_t rows = 0, cols = 0, stride = 0;
  DType dtype = DType::kF32;

  explicit operator bool() const { return data != nullptr; }
  template <typename T>
  T* as() const {
    return static_cast<T*>(data);
  }
  // Rows [begin, end).
  View slice(int64_t begin, int64_t end) const {
    View v = *this;
    v.data = static_cast<char*>(data) + begin * stride * dtype_bytes(dtype);
    v.rows = end - begin;
    return v;
  }
  std::string shape() const { return cat(dtype_name(dtype), "[", rows, ", ", cols, "]"); }
};

inline View view(void* data, DType dtype, int64_t rows, int64_t cols) { return {data, rows, cols, cols, dtype}; }
inline View view(float* data, int64_t rows, int64_t cols) { return view(data, DType::kF32, rows, cols); }
inline View view(bf16* data, int64_t rows, int64_t cols) { return view(data, DType::kBf16, rows, cols); }
inline View view(const float* data, int64_t rows, int64_t cols) { return view(const_cast<float*>(data), rows, cols); }
inline View view(const bf16* data, int64_t rows, int64_t cols) { return view(const_cast<bf16*>(data), rows, cols); }

// Row stride of a bf16 matrix that products read a few rows at a time: rows 4 KB apart would all want the same set of the first-level
// cache, which holds 8 lines, so such get a gap of one line.
inline int64_t operand_stride(int64_t cols) { return cols % 2048 == 0 ? cols + 32 : cols; }

// Throws kShape, naming the view that disagrees.
inline void check_view(const char* op, const char* name, const View& v, DType dtype, int64_t rows, int64_t cols) {
  LIMR_CHECK(v.dtype == dtype && v.rows == rows && v.cols == cols, kShape,
             cat(op, ": ", name, " is ", v.shape(), ", expected ", dtype_name(dtype), "[", rows, ", ", cols, "]"));
}

// Throws kShape when rows do not follow each other without a gap.
inline void check_dense(const char* op, const char* name, const View& v) {
  LIMR_CHECK(v.stride == v.cols, kShape, cat(op, ": ", name, " has gaps between its rows"));
}

}  // namespace limr
