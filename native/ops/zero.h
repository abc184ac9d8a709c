// native/ops/zero.h - fill with zeros, where the memory is.
#pragma once
#include <algorithm>
#include <cstring>

#include "core/context.h"
#include "core/view.h"

namespace limr {

inline void zero(const Context& ctx, void* data, size_t bytes) {
  if (!ctx.device->on_host()) return ctx.device->zero(data, bytes);
  constexpr int64_t kPiece = int64_t(1) << 18;
  ctx.pool->parallel_for((int64_t(bytes) + kPiece - 1) / kPiece, 1, [&](int64_t b, int64_t e) {
    std::memset(static_cast<char*>(data) + b * kPiece, 0, std::min(bytes, size_t(e * kPiece)) - size_t(b * kPiece));
  });
}

// A matrix without gaps between its rows.
inline void zero(const Context& ctx, const View& v) {
  check_dense("zero", "out", v);
  zero(ctx, v.data, size_t(v.rows * v.cols * dtype_bytes(v.dtype)));
}

}  // namespace limr
