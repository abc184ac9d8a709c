// native/model/check.h - LIMR_CHECK_NANS=1: look at what an op wrote, and name the first one that is not finite.
#pragma once
#include <cmath>

#include "core/context.h"
#include "core/view.h"

namespace limr {

// Throws kNumeric naming op, layer and row. Does nothing unless the context asks for it.
inline void check_finite(const Context& ctx, const char* op, int64_t layer, const View& v) {
  if (!ctx.check_nans || !v || v.rows == 0) return;
  const int64_t width = dtype_bytes(v.dtype);
  std::vector<char> staging;
  View host = v;
  host.data =
      const_cast<char*>(on_host(*ctx.device, v.as<char>(), ((v.rows - 1) * v.stride + v.cols) * width, staging));
  for (int64_t r = 0; r < v.rows; ++r)
    for (int64_t c = 0; c < v.cols; ++c) {
      const View row = host.slice(r, r + 1);
      const float x = v.dtype == DType::kF32 ? row.as<float>()[c] : bf16_to_f32(row.as<bf16>()[c]);
      LIMR_CHECK(std::isfinite(x), kNumeric, cat(op, " of layer ", layer, " wrote ", x, " in row ", r, ", column ", c),
                 "Every op before it wrote finite numbers: look at its inputs, and at the learning rate.");
    }
}

}  // namespace limr
