#include "ops/ref/rope.h"

#include <algorithm>
#include <cmath>

#include "ops/ref/dense.h"

namespace limr::ref {
namespace {

using Dense = std::vector<double>;

double rstd_of(const double* x, int64_t D, float eps) {
  double squares = 0;
  for (int64_t d = 0; d < D; ++d) squares += x[d] * x[d];
  return 1 / std::sqrt(squares / double(D) + eps);
}

// One head, normalized when norm is not null, then rotated.
Dense rotate(const double* x, const bf16* norm, float eps, const RopeTable& rope, int64_t position, int64_t D) {
  Dense y(x, x + D);
  if (norm) {
    const double rstd = rstd_of(x, D, eps);
    for (int64_t d = 0; d < D; ++d) y[d] = x[d] * rstd * bf16_to_f32(norm[d]);
  }
  for (int64_t i = 0; i < D / 2; ++i) {
    const double cos = rope.cos[position * (D / 2) + i], sin = rope.sin[position * (D / 2) + i];
    const double a = y[i], b = y[i + D / 2];
    y[i] = a * cos - b * sin;
    y[i + D / 2] = b * cos + a * sin;
  }
  return y;
}

// dx of one head from dy, and its share of dnorm. x is what rotate() took; it is read only with a norm.
Dense rotate_backward(const double* dy, const double* x, const bf16* norm, float eps, const RopeTable& rope,
                      int64_t position, int64_t D, Dense& dnorm) {
  Dense dx(D);
  for (int64_t i = 0; i < D / 2; ++i) {
    const double cos = rope.cos[position * (D / 2) + i], sin = rope.sin[position * (D / 2) + i];
    dx[i] = dy[i] * cos + dy[i + D / 2] * sin;
    dx[i + D / 2] = dy[i + D / 2] * cos - dy[i] * sin;
  }
  if (!norm) return dx;
  const double rstd = rstd_of(x, D, eps);
  double along = 0;
  for (int64_t d = 0; d < D; ++d) along += dx[d] * bf16_to_f32(norm[d]) * x[d];
  for (int64_t d = 0; d < D; ++d) {
    dnorm[d] += dx[d] * x[d] * rstd;
    dx[d] = rstd * dx[d] * bf16_to_f32(norm[d]) - x[d] * std::pow(rstd, 3) * along / double(D);
  }
  return dx;
}

}  // namespace

void rope_forward(const RopeForward& op) {
  const int64_t N = op.qkv.rows, D = op.kv.head_dim, K = op.kv.num_kv_heads, H = op.qkv.cols / D - 2 * K;
  const Dense qkv = dense(op.qkv);
  Dense q(N * H * D);
  for (int64_t n = 0; n < N; ++n) {
    const double* row = &qkv[n * (H + 2 * K) * D];
    for (int64_t h = 0; h < H; ++h) {
      const Dense y = rotate(row + h * D, op.norm.q, op.norm.eps, op.rope, op.positions[n], D);
      std::copy(y.begin(), y.end(), &q[(n * H + h) * D]);
    }
    const int64_t slot = op.slots[n];
    const bool last = slot % 2 == 0 && (n + 1 == N || op.slots[n + 1] != slot + 1);
    for (int64_t h = 0; h < K; ++h) {
      const Dense y = rotate(row + (H + h) * D, op.norm.k, op.norm.eps, op.rope, op.positions[n], D);
      for (int64_t d = 0; d < D; ++d) {
        key_at(op.kv, slot, h, d) = f32_to_bf16(float(y[d]));
        value_at(op.kv, slot, h, d) = f32_to_bf16(float(row[(H + K + h) * D + d]));
        if (last) value_at(op.kv, slot + 1, h, d) = 0;
      }
    }
  }
  store(op.q, q);
}

void rope_backward(const RopeBackward& op) {
  const int64_t N = op.dq.rows, D = op.head_dim, H = op.num_heads, K = op.num_kv_heads, width = (H + 2 * K) * D;
  const Dense dq = dense(op.dq), dk = dense(op.dk), dv = dense(op.dv), qkv = dense(op.qkv);
  Dense dqkv(N * width), dq_norm(D), dk_norm(D);
  for (int64_t n = 0; n < N; ++n) {
    const auto head = [&](int64_t h, const double* dy, const bf16* norm, Dense& dnorm) {
      const double* x = norm ? &qkv[n * width + h * D] : nullptr;
      const Dense dx = rotate_backward(dy, x, norm, op.norm.eps, op.rope, op.positions[n], D, dnorm);
      std::copy(dx.begin(), dx.end(), &dqkv[n * width + h * D]);
    };
    for (int64_t h = 0; h < H; ++h) head(h, &dq[(n * H + h) * D], op.norm.q, dq_norm);
    for (int64_t h = 0; h < K; ++h) head(H + h, &dk[(n * K + h) * D], op.norm.k, dk_norm);
    std::copy_n(&dv[n * K * D], K * D, &dqkv[n * width + (H + K) * D]);
  }
  store(op.dqkv, dqkv);
  accumulate(op.dq_norm, dq_norm);
  accumulate(op.dk_norm, dk_norm);
}

}  // namespace limr::ref
