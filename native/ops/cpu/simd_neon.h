// native/ops/cpu/simd_neon.h - sixteen f32 lanes in four registers. Included inside a namespace of isa_neon.cc.

struct F32x16 {
  float32x4_t v[4];
};

template <typename F>
inline F32x16 quads(F f) {
  return {{f(0), f(1), f(2), f(3)}};
}

inline F32x16 splat(float x) {
  return quads([=](int) { return vdupq_n_f32(x); });
}
inline F32x16 load(const float* p) {
  return quads([=](int q) { return vld1q_f32(p + 4 * q); });
}
inline F32x16 load(const float* p, int64_t n) {
  if (n >= 16) return load(p);
  float x[16] = {};
  for (int64_t i = 0; i < n; ++i) x[i] = p[i];
  return load(x);
}
inline void store(float* p, F32x16 a) {
  for (int q = 0; q < 4; ++q) vst1q_f32(p + 4 * q, a.v[q]);
}
inline void store(float* p, F32x16 a, int64_t n) {
  if (n >= 16) return store(p, a);
  float x[16];
  store(x, a);
  for (int64_t i = 0; i < n; ++i) p[i] = x[i];
}
inline F32x16 add(F32x16 a, F32x16 b) {
  return quads([&](int q) { return vaddq_f32(a.v[q], b.v[q]); });
}
inline F32x16 sub(F32x16 a, F32x16 b) {
  return quads([&](int q) { return vsubq_f32(a.v[q], b.v[q]); });
}
inline F32x16 mul(F32x16 a, F32x16 b) {
  return quads([&](int q) { return vmulq_f32(a.v[q], b.v[q]); });
}
inline F32x16 div(F32x16 a, F32x16 b) {
  return quads([&](int q) { return vdivq_f32(a.v[q], b.v[q]); });
}
inline F32x16 fma(F32x16 a, F32x16 b, F32x16 c) {
  return quads([&](int q) { return vfmaq_f32(c.v[q], a.v[q], b.v[q]); });
}
inline F32x16 max(F32x16 a, F32x16 b) {  // the second operand when unordered, as on x86
  return quads([&](int q) { return vbslq_f32(vcgtq_f32(a.v[q], b.v[q]), a.v[q], b.v[q]); });
}
inline F32x16 min(F32x16 a, F32x16 b) {
  return quads([&](int q) { return vbslq_f32(vcltq_f32(a.v[q], b.v[q]), a.v[q], b.v[q]); });
}
inline F32x16 sqrt(F32x16 a) {
  return quads([&](int q) { return vsqrtq_f32(a.v[q]); });
}
inline F32x16 round_even(F32x16 a) {
  return quads([&](int q) { return vrndnq_f32(a.v[q]); });
}
inline F32x16 exp2_integral(F32x16 a) {
  return quads([&](int q) {
    return vreinterpretq_f32_s32(vshlq_n_s32(vaddq_s32(vcvtnq_s32_f32(a.v[q]), vdupq_n_s32(127)), 23));
  });
}
inline F32x16 keep(F32x16 a, int64_t n, float fill) {
  if (n >= 16) return a;
  float x[16];
  store(x, a);
  for (int64_t i = n < 0 ? 0 : n; i < 16; ++i) x[i] = fill;
  return load(x);
}
// 0 in lanes where x < bound, else y.
inline F32x16 zero_below(F32x16 x, float bound, F32x16 y) {
  return quads([&](int q) { return vbslq_f32(vcltq_f32(x.v[q], vdupq_n_f32(bound)), vdupq_n_f32(0), y.v[q]); });
}
inline float sum(F32x16 a) {  // i + (i+8), then +4, +2, +1
  const float32x4_t h4 = vaddq_f32(vaddq_f32(a.v[0], a.v[2]), vaddq_f32(a.v[1], a.v[3]));
  const float32x2_t h2 = vadd_f32(vget_low_f32(h4), vget_high_f32(h4));
  return vget_lane_f32(h2, 0) + vget_lane_f32(h2, 1);
}
inline float max_lane(F32x16 a) { return vmaxvq_f32(vmaxq_f32(vmaxq_f32(a.v[0], a.v[2]), vmaxq_f32(a.v[1], a.v[3]))); }

inline F32x16 load(const bf16* p) {
  return quads([=](int q) { return vreinterpretq_f32_u32(vshll_n_u16(vld1_u16(p + 4 * q), 16)); });
}
inline F32x16 load(const bf16* p, int64_t n) {
  if (n >= 16) return load(p);
  bf16 x[16] = {};
  for (int64_t i = 0; i < n; ++i) x[i] = p[i];
  return load(x);
}
inline uint16x4_t narrow(float32x4_t a) {  // round to nearest even; NaN stays NaN
  const uint32x4_t u = vreinterpretq_u32_f32(a), top = vshrq_n_u32(u, 16);
  const uint32x4_t r = vshrq_n_u32(vaddq_u32(vaddq_u32(u, vdupq_n_u32(0x7fff)), vandq_u32(top, vdupq_n_u32(1))), 16);
  return vmovn_u32(vbslq_u32(vceqq_f32(a, a), r, vorrq_u32(top, vdupq_n_u32(0x40))));
}
inline void store(bf16* p, F32x16 a) {
  for (int q = 0; q < 4; ++q) vst1_u16(p + 4 * q, narrow(a.v[q]));
}
inline void store(bf16* p, F32x16 a, F32x16 b) { store(p, a), store(p + 16, b); }
inline void store(bf16* p, F32x16 a, int64_t n) {
  if (n >= 16) return store(p, a);
  bf16 x[16];
  store(x, a);
  for (int64_t i = 0; i < n; ++i) p[i] = x[i];
}

inline void store_zipped(bf16* dst, const bf16* a, const bf16* b) {
  for (int h = 0; h < 2; ++h) vst2q_u16(dst + 16 * h, (uint16x8x2_t{{vld1q_u16(a + 8 * h), vld1q_u16(b + 8 * h)}}));
}
inline void store_zipped_twice(bf16* dst, const bf16* a, const bf16* b) {
  bf16 zipped[32];
  store_zipped(zipped, a, b);
  for (int h = 0; h < 4; ++h) {
    const uint32x4_t x = vreinterpretq_u32_u16(vld1q_u16(zipped + 8 * h));
    vst1q_u16(dst + 16 * h, vreinterpretq_u16_u32(vzip1q_u32(x, x)));
    vst1q_u16(dst + 16 * h + 8, vreinterpretq_u16_u32(vzip2q_u32(x, x)));
  }
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
inline float32x4_t even_of(uint32x4_t u) { return vreinterpretq_f32_u32(vshlq_n_u32(u, 16)); }
inline float32x4_t odd_of(uint32x4_t u) { return vreinterpretq_f32_u32(vandq_u32(u, vdupq_n_u32(0xffff0000u))); }
inline Pairs load_pairs(const bf16* p) {
  uint32x4_t u[4];
  for (int q = 0; q < 4; ++q) u[q] = vreinterpretq_u32_u16(vld1q_u16(p + 8 * q));
  return {quads([&](int q) { return even_of(u[q]); }), quads([&](int q) { return odd_of(u[q]); })};
}
inline Pairs splat_pair(const bf16* p) {
  uint32_t word;
  __builtin_memcpy(&word, p, 4);
  const uint32x4_t u = vdupq_n_u32(word);
  return {quads([&](int) { return even_of(u); }), quads([&](int) { return odd_of(u); })};
}
inline Pairs splat_two_pairs(const bf16* p) {
  uint64_t words;
  __builtin_memcpy(&words, p, 8);
  const uint32x4_t u = vreinterpretq_u32_u64(vdupq_n_u64(words));
  return {quads([&](int) { return even_of(u); }), quads([&](int) { return odd_of(u); })};
}
inline F32x16 dot2(F32x16 acc, Pairs a, Pairs b) { return fma(a.even, b.even, fma(a.odd, b.odd, acc)); }
constexpr int kTileRows = 4, kTileVectors = 1, kGradientRows = 8, kGradientVectors = 1;
