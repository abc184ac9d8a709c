// native/ops/cpu/simd_avx2.h - sixteen f32 lanes in two registers. Included inside a namespace of isa_avx2.cc.

struct F32x16 {
  __m256 lo, hi;
};

inline F32x16 splat(float x) { return {_mm256_set1_ps(x), _mm256_set1_ps(x)}; }
inline F32x16 load(const float* p) { return {_mm256_loadu_ps(p), _mm256_loadu_ps(p + 8)}; }
inline F32x16 load(const float* p, int64_t n) {
  if (n >= 16) return load(p);
  alignas(32) float x[16] = {};
  for (int64_t i = 0; i < n; ++i) x[i] = p[i];
  return load(x);
}
inline void store(float* p, F32x16 a) {
  _mm256_storeu_ps(p, a.lo);
  _mm256_storeu_ps(p + 8, a.hi);
}
inline void store(float* p, F32x16 a, int64_t n) {
  if (n >= 16) return store(p, a);
  alignas(32) float x[16];
  store(x, a);
  for (int64_t i = 0; i < n; ++i) p[i] = x[i];
}
inline F32x16 add(F32x16 a, F32x16 b) { return {_mm256_add_ps(a.lo, b.lo), _mm256_add_ps(a.hi, b.hi)}; }
inline F32x16 sub(F32x16 a, F32x16 b) { return {_mm256_sub_ps(a.lo, b.lo), _mm256_sub_ps(a.hi, b.hi)}; }
inline F32x16 mul(F32x16 a, F32x16 b) { return {_mm256_mul_ps(a.lo, b.lo), _mm256_mul_ps(a.hi, b.hi)}; }
inline F32x16 div(F32x16 a, F32x16 b) { return {_mm256_div_ps(a.lo, b.lo), _mm256_div_ps(a.hi, b.hi)}; }
inline F32x16 fma(F32x16 a, F32x16 b, F32x16 c) {
  return {_mm256_fmadd_ps(a.lo, b.lo, c.lo), _mm256_fmadd_ps(a.hi, b.hi, c.hi)};
}
inline F32x16 max(F32x16 a, F32x16 b) { return {_mm256_max_ps(a.lo, b.lo), _mm256_max_ps(a.hi, b.hi)}; }
inline F32x16 min(F32x16 a, F32x16 b) { return {_mm256_min_ps(a.lo, b.lo), _mm256_min_ps(a.hi, b.hi)}; }
inline F32x16 sqrt(F32x16 a) { return {_mm256_sqrt_ps(a.lo), _mm256_sqrt_ps(a.hi)}; }
inline F32x16 round_even(F32x16 a) { return {_mm256_round_ps(a.lo, 0x08), _mm256_round_ps(a.hi, 0x08)}; }
inline __m256 exp2_integral(__m256 a) {
  return _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_add_epi32(_mm256_cvtps_epi32(a), _mm256_set1_epi32(127)), 23));
}
inline F32x16 exp2_integral(F32x16 a) { return {exp2_integral(a.lo), exp2_integral(a.hi)}; }
inline F32x16 keep(F32x16 a, int64_t n, float fill) {
  if (n >= 16) return a;
  const __m256 count = _mm256_set1_ps(float(n < 0 ? 0 : n)), iota = _mm256_setr_ps(0, 1, 2, 3, 4, 5, 6, 7);
  const __m256 f = _mm256_set1_ps(fill);
  return {_mm256_blendv_ps(f, a.lo, _mm256_cmp_ps(iota, count, _CMP_LT_OQ)),
          _mm256_blendv_ps(f, a.hi, _mm256_cmp_ps(_mm256_add_ps(iota, _mm256_set1_ps(8)), count, _CMP_LT_OQ))};
}
// 0 in lanes where x < bound, else y.
inline F32x16 zero_below(F32x16 x, float bound, F32x16 y) {
  const __m256 b = _mm256_set1_ps(bound);
  return {_mm256_andnot_ps(_mm256_cmp_ps(x.lo, b, _CMP_LT_OQ), y.lo),
          _mm256_andnot_ps(_mm256_cmp_ps(x.hi, b, _CMP_LT_OQ), y.hi)};
}
inline float sum(F32x16 a) {
  const __m256 h8 = _mm256_add_ps(a.lo, a.hi);
  const __m128 h4 = _mm_add_ps(_mm256_castps256_ps128(h8), _mm256_extractf128_ps(h8, 1));
  const __m128 h2 = _mm_add_ps(h4, _mm_movehl_ps(h4, h4));
  return _mm_cvtss_f32(_mm_add_ss(h2, _mm_shuffle_ps(h2, h2, 1)));
}
inline float max_lane(F32x16 a) {
  const __m256 h8 = _mm256_max_ps(a.lo, a.hi);
  const __m128 h4 = _mm_max_ps(_mm256_castps256_ps128(h8), _mm256_extractf128_ps(h8, 1));
  const __m128 h2 = _mm_max_ps(h4, _mm_movehl_ps(h4, h4));
  return _mm_cvtss_f32(_mm_max_ss(h2, _mm_shuffle_ps(h2, h2, 1)));
}

inline __m256 widen(__m128i h) { return _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_cvtepu16_epi32(h), 16)); }
inline F32x16 load(const bf16* p) {
  return {widen(_mm_loadu_si128((const __m128i*)p)), widen(_mm_loadu_si128((const __m128i*)(p + 8)))};
}
inline F32x16 load(const bf16* p, int64_t n) {
  if (n >= 16) return load(p);
  bf16 x[16] = {};
  for (int64_t i = 0; i < n; ++i) x[i] = p[i];
  return load(x);
}
inline __m256i narrow(__m256 a) {  // round to nearest even; NaN stays NaN; 16 bits in the low half of each lane
  const __m256i u = _mm256_castps_si256(a), top = _mm256_srli_epi32(u, 16);
  const __m256i lsb = _mm256_and_si256(top, _mm256_set1_epi32(1));
  const __m256i r = _mm256_srli_epi32(_mm256_add_epi32(_mm256_add_epi32(u, _mm256_set1_epi32(0x7fff)), lsb), 16);
  const __m256i nan = _mm256_castps_si256(_mm256_cmp_ps(a, a, _CMP_UNORD_Q));
  return _mm256_blendv_epi8(r, _mm256_or_si256(top, _mm256_set1_epi32(0x40)), nan);
}
inline void store(bf16* p, F32x16 a) {
  const __m256i packed = _mm256_packus_epi32(narrow(a.lo), narrow(a.hi));
  _mm256_storeu_si256((__m256i*)p, _mm256_permute4x64_epi64(packed, 0xd8));
}
inline void store(bf16* p, F32x16 a, F32x16 b) { store(p, a), store(p + 16, b); }
inline void store(bf16* p, F32x16 a, int64_t n) {
  if (n >= 16) return store(p, a);
  bf16 x[16];
  store(x, a);
  for (int64_t i = 0; i < n; ++i) p[i] = x[i];
}

inline void store_zipped(bf16* dst, const bf16* a, const bf16* b) {
  const __m256i x = _mm256_permute4x64_epi64(_mm256_loadu_si256((const __m256i*)a), 0xd8);
  const __m256i y = _mm256_permute4x64_epi64(_mm256_loadu_si256((const __m256i*)b), 0xd8);
  _mm256_storeu_si256((__m256i*)dst, _mm256_unpacklo_epi16(x, y));
  _mm256_storeu_si256((__m256i*)(dst + 16), _mm256_unpackhi_epi16(x, y));
}
inline void store_zipped_twice(bf16* dst, const bf16* a, const bf16* b) {
  alignas(32) bf16 zipped[32];
  store_zipped(zipped, a, b);
  for (int q = 0; q < 4; ++q) {
    const __m256i x = _mm256_permute4x64_epi64(_mm256_castsi128_si256(_mm_load_si128((const __m128i*)(zipped + 8 * q))),
                                               0x50);  // quadwords 0 0 1 1
    _mm256_storeu_si256((__m256i*)(dst + 16 * q), _mm256_shuffle_epi32(x, 0x50));
  }
}

// Four by four quads (a, b, c, d) of bf16, `ld_src` elements between rows, transposed into quads (a, c, b, d).
constexpr int64_t kQuads = 4;
inline void turn_quads(bf16* dst, int64_t ld_dst, const bf16* src, int64_t ld_src) {
  const __m256i swap = _mm256_broadcastsi128_si256(_mm_set_epi8(15, 14, 11, 10, 13, 12, 9, 8, 7, 6, 3, 2, 5, 4, 1, 0));
  __m256i r[4];
  for (int i = 0; i < 4; ++i) r[i] = _mm256_shuffle_epi8(_mm256_loadu_si256((const __m256i*)(src + i * ld_src)), swap);
  for (int s = 0; s < 2; ++s) {  // lane c: column 2c + s of two rows
    const __m256i a = s ? _mm256_unpackhi_epi64(r[0], r[1]) : _mm256_unpacklo_epi64(r[0], r[1]);
    const __m256i b = s ? _mm256_unpackhi_epi64(r[2], r[3]) : _mm256_unpacklo_epi64(r[2], r[3]);
    _mm256_storeu_si256((__m256i*)(dst + s * ld_dst), _mm256_permute2x128_si256(a, b, 0x20));
    _mm256_storeu_si256((__m256i*)(dst + (s + 2) * ld_dst), _mm256_permute2x128_si256(a, b, 0x31));
  }
}

struct Pairs {
  F32x16 even, odd;
};
inline __m256 even_of(__m256i v) { return _mm256_castsi256_ps(_mm256_slli_epi32(v, 16)); }
inline __m256 odd_of(__m256i v) {
  return _mm256_castsi256_ps(_mm256_and_si256(v, _mm256_set1_epi32(int(0xffff0000u))));
}
inline Pairs load_pairs(const bf16* p) {
  const __m256i x = _mm256_loadu_si256((const __m256i*)p), y = _mm256_loadu_si256((const __m256i*)(p + 16));
  return {{even_of(x), even_of(y)}, {odd_of(x), odd_of(y)}};
}
inline Pairs splat_pair(const bf16* p) {
  int32_t word;
  __builtin_memcpy(&word, p, 4);
  const __m256i x = _mm256_set1_epi32(word);
  return {{even_of(x), even_of(x)}, {odd_of(x), odd_of(x)}};
}
inline Pairs splat_two_pairs(const bf16* p) {
  int64_t words;
  __builtin_memcpy(&words, p, 8);
  const __m256i x = _mm256_set1_epi64x(words);
  return {{even_of(x), even_of(x)}, {odd_of(x), odd_of(x)}};
}
inline F32x16 dot2(F32x16 acc, Pairs a, Pairs b) { return fma(a.even, b.even, fma(a.odd, b.odd, acc)); }
constexpr int kTileRows = 4, kTileVectors = 1, kGradientRows = 8, kGradientVectors = 1;
