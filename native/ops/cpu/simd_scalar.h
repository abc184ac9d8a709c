// native/ops/cpu/simd_scalar.h - sixteen f32 lanes in an array: what every other instruction set must equal to the bit.
// Included inside a namespace of isa_scalar.cc.

struct F32x16 {
  float v[16];
};

template <typename F>
inline F32x16 lanes(F f) {
  F32x16 r;
  for (int i = 0; i < 16; ++i) r.v[i] = f(i);
  return r;
}
inline float bf16_lane(bf16 x) {
  const uint32_t u = uint32_t(x) << 16;
  float f;
  __builtin_memcpy(&f, &u, 4);
  return f;
}
inline bf16 round_lane(float x) {  // round to nearest even; NaN stays NaN
  uint32_t u;
  __builtin_memcpy(&u, &x, 4);
  if ((u & 0x7fffffffu) > 0x7f800000u) return bf16((u >> 16) | 0x40u);
  return bf16((u + 0x7fffu + ((u >> 16) & 1u)) >> 16);
}

inline F32x16 splat(float x) {
  return lanes([=](int) { return x; });
}
inline F32x16 load(const float* p) {
  return lanes([=](int i) { return p[i]; });
}
inline F32x16 load(const float* p, int64_t n) {
  return lanes([=](int i) { return i < n ? p[i] : 0.0f; });
}
inline void store(float* p, F32x16 a) {
  for (int i = 0; i < 16; ++i) p[i] = a.v[i];
}
inline void store(float* p, F32x16 a, int64_t n) {
  for (int i = 0; i < 16 && i < n; ++i) p[i] = a.v[i];
}
inline F32x16 add(F32x16 a, F32x16 b) {
  return lanes([&](int i) { return a.v[i] + b.v[i]; });
}
inline F32x16 sub(F32x16 a, F32x16 b) {
  return lanes([&](int i) { return a.v[i] - b.v[i]; });
}
inline F32x16 mul(F32x16 a, F32x16 b) {
  return lanes([&](int i) { return a.v[i] * b.v[i]; });
}
inline F32x16 div(F32x16 a, F32x16 b) {
  return lanes([&](int i) { return a.v[i] / b.v[i]; });
}
inline F32x16 fma(F32x16 a, F32x16 b, F32x16 c) {
  return lanes([&](int i) { return __builtin_fmaf(a.v[i], b.v[i], c.v[i]); });
}
inline F32x16 max(F32x16 a, F32x16 b) {  // the second operand when unordered, as maxps
  return lanes([&](int i) { return a.v[i] > b.v[i] ? a.v[i] : b.v[i]; });
}
inline F32x16 min(F32x16 a, F32x16 b) {
  return lanes([&](int i) { return a.v[i] < b.v[i] ? a.v[i] : b.v[i]; });
}
inline F32x16 sqrt(F32x16 a) {
  return lanes([&](int i) { return __builtin_sqrtf(a.v[i]); });
}
inline F32x16 round_even(F32x16 a) {
  return lanes([&](int i) { return __builtin_rintf(a.v[i]); });
}
inline F32x16 exp2_integral(F32x16 a) {
  return lanes([&](int i) {
    const uint32_t u = uint32_t(int32_t(a.v[i]) + 127) << 23;
    float f;
    __builtin_memcpy(&f, &u, 4);
    return f;
  });
}
inline F32x16 keep(F32x16 a, int64_t n, float fill) {
  return lanes([&](int i) { return i < n ? a.v[i] : fill; });
}
// 0 in lanes where x < bound, else y.
inline F32x16 zero_below(F32x16 x, float bound, F32x16 y) {
  return lanes([&](int i) { return x.v[i] < bound ? 0.0f : y.v[i]; });
}
inline float sum(F32x16 a) {
  for (int half = 8; half > 0; half /= 2)
    for (int i = 0; i < half; ++i) a.v[i] += a.v[i + half];
  return a.v[0];
}
inline float max_lane(F32x16 a) {
  for (int half = 8; half > 0; half /= 2)
    for (int i = 0; i < half; ++i) a.v[i] = a.v[i] > a.v[i + half] ? a.v[i] : a.v[i + half];
  return a.v[0];
}

inline F32x16 load(const bf16* p) {
  return lanes([=](int i) { return bf16_lane(p[i]); });
}
inline F32x16 load(const bf16* p, int64_t n) {
  return lanes([=](int i) { return i < n ? bf16_lane(p[i]) : 0.0f; });
}
inline void store(bf16* p, F32x16 a) {
  for (int i = 0; i < 16; ++i) p[i] = round_lane(a.v[i]);
}
inline void store(bf16* p, F32x16 a, F32x16 b) { store(p, a), store(p + 16, b); }
inline void store(bf16* p, F32x16 a, int64_t n) {
  for (int i = 0; i < 16 && i < n; ++i) p[i] = round_lane(a.v[i]);
}

inline void store_zipped(bf16* dst, const bf16* a, const bf16* b) {
  for (int i = 0; i < 16; ++i) dst[2 * i] = a[i], dst[2 * i + 1] = b[i];
}
inline void store_zipped_twice(bf16* dst, const bf16* a, const bf16* b) {
  for (int i = 0; i < 16; ++i) dst[4 * i] = dst[4 * i + 2] = a[i], dst[4 * i + 1] = dst[4 * i + 3] = b[i];
}

// A quad (a, b, c, d) of bf16 into (a, c, b, d).
constexpr int64_t kQuads = 1;
inline void turn_quads(bf16* dst, int64_t, const bf16* src, int64_t) {
  uint64_t q;
  __builtin_memcpy(&q, src, 8);
  q = (q & 0xffff00000000ffffull) | (q >> 16 & 0xffff0000ull) | (q & 0xffff0000ull) << 16;
  __builtin_memcpy(dst, &q, 8);
}

struct Pairs {
  F32x16 even, odd;
};
inline Pairs load_pairs(const bf16* p) {
  return {lanes([=](int i) { return bf16_lane(p[2 * i]); }), lanes([=](int i) { return bf16_lane(p[2 * i + 1]); })};
}
inline Pairs splat_pair(const bf16* p) { return {splat(bf16_lane(p[0])), splat(bf16_lane(p[1]))}; }
inline Pairs splat_two_pairs(const bf16* p) {
  return {lanes([=](int i) { return bf16_lane(p[i % 2 * 2]); }),
          lanes([=](int i) { return bf16_lane(p[i % 2 * 2 + 1]); })};
}
inline F32x16 dot2(F32x16 acc, Pairs a, Pairs b) { return fma(a.even, b.even, fma(a.odd, b.odd, acc)); }
constexpr int kTileRows = 4, kTileVectors = 1, kGradientRows = 8, kGradientVectors = 1;
