// native/ops/cpu/rope.simd.h - see ops/rope.h.

// One head: optionally normalized, then rotated. x and y have D elements, y may alias x.
inline void rotate_head(float* y, const float* x, const bf16* norm, float eps, const float* cos, const float* sin,
                        int64_t D) {
  const F32x16 rstd = splat(norm ? 1.0f / __builtin_sqrtf(dot(x, x, D) / float(D) + eps) : 1.0f);
  const int64_t half = D / 2;
  for (int64_t i = 0; i < half; i += 16) {
    F32x16 a = load(x + i, half - i), b = load(x + half + i, half - i);
    if (norm) {
      a = mul(mul(a, rstd), load(norm + i, half - i));
      b = mul(mul(b, rstd), load(norm + half + i, half - i));
    }
    const F32x16 c = load(cos + i, half - i), s = load(sin + i, half - i);
    store(y + i, sub(mul(a, c), mul(b, s)), half - i);
    store(y + half + i, add(mul(b, c), mul(a, s)), half - i);
  }
}

void rope_forward(const RopeArgs& p, int64_t begin, int64_t end) {  // rows [begin, end)
  alignas(64) float y[kMaxHeadDim];
  alignas(64) bf16 narrow_y[kMaxHeadDim];
  const int64_t D = p.D, head_elements = 2 * kPageKeys * D;
  for (int64_t n = begin; n < end; ++n) {
    const float* row = p.qkv + n * (p.H + 2 * p.K) * D;
    const float* cos = p.cos + p.positions[n] * (D / 2);
    const float* sin = p.sin + p.positions[n] * (D / 2);
    for (int64_t h = 0; h < p.H; ++h) {
      rotate_head(y, row + h * D, p.q_norm, p.eps, cos, sin, D);
      for (int64_t d = 0; d < D; d += 16) store(p.q + (n * p.H + h) * D + d, load(y + d));
    }
    const int64_t slot = p.slots[n], key = slot % kPageKeys;
    bf16* page = p.kv + slot / kPageKeys * p.page_stride;
    const bool last = key % 2 == 0 && !(n + 1 < p.N && p.slots[n + 1] == slot + 1);
    for (int64_t h = 0; h < p.K; ++h) {
      bf16* k = page + h * head_elements;
      bf16* v = k + kPageKeys * D;
      rotate_head(y, row + (p.H + h) * D, p.k_norm, p.eps, cos, sin, D);
      for (int64_t d = 0; d < D; d += 16) store(narrow_y + d, load(y + d));
      for (int64_t d = 0; d < D; d += 2) __builtin_memcpy(k + d * kPageKeys + 2 * key, narrow_y + d, 4);
      const float* value = row + (p.H + p.K + h) * D;
      for (int64_t d = 0; d < D; d += 16) store(narrow_y + d, load(value + d));
      bf16* pair = v + key / 2 * 2 * D;
      for (int64_t d = 0; d < D; ++d) pair[2 * d + key % 2] = narrow_y[d];
      if (last)
        for (int64_t d = 0; d < D; ++d) pair[2 * d + 1] = 0;
    }
  }
}

// The way back of one head; dnorm [D] accumulates. x is the forward input (with a norm), dy and dx have D elements.
inline void rotate_head_backward(bf16* dx, const float* dy, const float* x, const bf16* norm, float* dnorm, float eps,
                                 const float* cos, const float* sin, int64_t D) {
  alignas(64) float g[kMaxHeadDim];
  const int64_t half = D / 2;
  for (int64_t i = 0; i < half; i += 16) {
    const F32x16 a = load(dy + i, half - i), b = load(dy + half + i, half - i);
    const F32x16 c = load(cos + i, half - i), s = load(sin + i, half - i);
    store(g + i, add(mul(a, c), mul(b, s)), half - i);
    store(g + half + i, sub(mul(b, c), mul(a, s)), half - i);
  }
  if (!norm) {
    for (int64_t d = 0; d < D; d += 16) store(dx + d, load(g + d));
    return;
  }
  const float r = 1.0f / __builtin_sqrtf(dot(x, x, D) / float(D) + eps);
  const F32x16 rstd = splat(r);
  F32x16 acc = splat(0.0f);
  for (int64_t d = 0; d < D; d += 16) {
    const F32x16 gd = load(g + d), xd = load(x + d);
    store(dnorm + d, fma(mul(gd, xd), rstd, load(dnorm + d)));
    acc = fma(mul(gd, load(norm + d)), xd, acc);
  }
  const F32x16 along = splat(sum(acc) * r * r * r / float(D));
  for (int64_t d = 0; d < D; d += 16)
    store(dx + d, sub(mul(mul(load(g + d), load(norm + d)), rstd), mul(load(x + d), along)));
}

void rope_backward(const RopeArgs& p, int64_t begin, int64_t end) {  // groups [begin, end) of 64 rows
  const int64_t D = p.D, width = (p.H + 2 * p.K) * D;
  for (int64_t group = begin; group < end; ++group) {
    float* dq_norm = p.partial + group * 2 * D;
    float* dk_norm = dq_norm + D;
    for (int64_t d = 0; d < 2 * D; ++d) dq_norm[d] = 0;
    const int64_t last = (group + 1) * kNormRowGroup < p.N ? (group + 1) * kNormRowGroup : p.N;
    for (int64_t n = group * kNormRowGroup; n < last; ++n) {
      const float* cos = p.cos + p.positions[n] * (D / 2);
      const float* sin = p.sin + p.positions[n] * (D / 2);
      bf16* out = p.dqkv + n * width;
      for (int64_t h = 0; h < p.H; ++h)
        rotate_head_backward(out + h * D, p.dq + (n * p.H + h) * D, p.qkv + n * width + h * D, p.q_norm, dq_norm, p.eps,
                             cos, sin, D);
      for (int64_t h = 0; h < p.K; ++h) {
        rotate_head_backward(out + (p.H + h) * D, p.dk + (n * p.K + h) * D, p.qkv + n * width + (p.H + h) * D, p.k_norm,
                             dk_norm, p.eps, cos, sin, D);
        for (int64_t d = 0; d < D; d += 16) store(out + (p.H + p.K + h) * D + d, load(p.dv + (n * p.K + h) * D + d));
      }
    }
  }
}
