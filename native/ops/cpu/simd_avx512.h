// native/ops/cpu/simd_avx512.h - sixteen f32 lanes in one register. With LIMR_NATIVE_DOT2, products of bf16 pairs by vdpbf16ps.
// Included inside a namespace of isa_avx512.cc and isa_avx512bf16.cc, after their target pragma.

struct F32x16 {
  __m512 v;
};

inline __mmask16 head(int64_t n) { return n >= 16 ? __mmask16(0xffff) : __mmask16((1u << n) - 1); }

inline F32x16 splat(float x) { return {_mm512_set1_ps(x)}; }
inline F32x16 load(const float* p) { return {_mm512_loadu_ps(p)}; }
inline F32x16 load(const float* p, int64_t n) { return n >= 16 ? load(p) : F32x16{_mm512_maskz_loadu_ps(head(n), p)}; }
inline void store(float* p, F32x16 a) { _mm512_storeu_ps(p, a.v); }
inline void store(float* p, F32x16 a, int64_t n) {
  if (n >= 16)
    store(p, a);
  else
    _mm512_mask_storeu_ps(p, head(n), a.v);
}
inline F32x16 add(F32x16 a, F32x16 b) { return {_mm512_add_ps(a.v, b.v)}; }
inline F32x16 sub(F32x16 a, F32x16 b) { return {_mm512_sub_ps(a.v, b.v)}; }
inline F32x16 mul(F32x16 a, F32x16 b) { return {_mm512_mul_ps(a.v, b.v)}; }
inline F32x16 div(F32x16 a, F32x16 b) { return {_mm512_div_ps(a.v, b.v)}; }
inline F32x16 fma(F32x16 a, F32x16 b, F32x16 c) { return {_mm512_fmadd_ps(a.v, b.v, c.v)}; }
inline F32x16 max(F32x16 a, F32x16 b) { return {_mm512_max_ps(a.v, b.v)}; }
inline F32x16 min(F32x16 a, F32x16 b) { return {_mm512_min_ps(a.v, b.v)}; }
inline F32x16 sqrt(F32x16 a) { return {_mm512_sqrt_ps(a.v)}; }
inline F32x16 round_even(F32x16 a) { return {_mm512_roundscale_ps(a.v, 0x08)}; }
// 2^a for integral a in [-126, 127].
inline F32x16 exp2_integral(F32x16 a) {
  return {
      _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_add_epi32(_mm512_cvtps_epi32(a.v), _mm512_set1_epi32(127)), 23))};
}
// Lanes [n, 16) replaced by `fill`.
inline F32x16 keep(F32x16 a, int64_t n, float fill) {
  return {_mm512_mask_blend_ps(head(n < 0 ? 0 : n), _mm512_set1_ps(fill), a.v)};
}
// 0 in lanes where x < bound, else y.
inline F32x16 zero_below(F32x16 x, float bound, F32x16 y) {
  return {_mm512_maskz_mov_ps(_mm512_cmp_ps_mask(x.v, _mm512_set1_ps(bound), _CMP_NLT_UQ), y.v)};  // NaN stays
}
inline F32x16 reverse_halves(F32x16 a) { return {_mm512_shuffle_f32x4(a.v, a.v, 0x4e)}; }
inline float sum(F32x16 a) {  // i + (i+8), then +4, +2, +1
  const __m256 h8 = _mm256_add_ps(_mm512_castps512_ps256(a.v), _mm512_castps512_ps256(reverse_halves(a).v));
  const __m128 h4 = _mm_add_ps(_mm256_castps256_ps128(h8), _mm256_extractf128_ps(h8, 1));
  const __m128 h2 = _mm_add_ps(h4, _mm_movehl_ps(h4, h4));
  return _mm_cvtss_f32(_mm_add_ss(h2, _mm_shuffle_ps(h2, h2, 1)));
}
inline float max_lane(F32x16 a) {
  const __m256 h8 = _mm256_max_ps(_mm512_castps512_ps256(a.v), _mm512_castps512_ps256(reverse_halves(a).v));
  const __m128 h4 = _mm_max_ps(_mm256_castps256_ps128(h8), _mm256_extractf128_ps(h8, 1));
  const __m128 h2 = _mm_max_ps(h4, _mm_movehl_ps(h4, h4));
  return _mm_cvtss_f32(_mm_max_ss(h2, _mm_shuffle_ps(h2, h2, 1)));
}

// Lane i: op over the lanes of rows[i], in the order of sum and max_lane. rows is overwritten.
#define LIMR_ACROSS_ROWS
template <typename Op>
inline F32x16 across_rows(F32x16* rows, Op op) {
  for (int i = 0; i < 8; ++i) {  // two rows: i + (i+8)
    const __m512 a = rows[2 * i].v, b = rows[2 * i + 1].v;
    rows[i] = op(F32x16{_mm512_shuffle_f32x4(a, b, 0x44)}, F32x16{_mm512_shuffle_f32x4(a, b, 0xee)});
  }
  for (int i = 0; i < 4; ++i) {  // four rows: +4
    const __m512 a = rows[2 * i].v, b = rows[2 * i + 1].v;
    rows[i] = op(F32x16{_mm512_shuffle_f32x4(a, b, 0x88)}, F32x16{_mm512_shuffle_f32x4(a, b, 0xdd)});
  }
  for (int i = 0; i < 2; ++i) {  // eight: +2
    const __m512 a = rows[2 * i].v, b = rows[2 * i + 1].v;
    rows[i] = op(F32x16{_mm512_shuffle_ps(a, b, 0x44)}, F32x16{_mm512_shuffle_ps(a, b, 0xee)});
  }
  const __m512 a = rows[0].v, b = rows[1].v;  // sixteen: +1; row 4j+i is at 4i+j
  const F32x16 turned = op(F32x16{_mm512_shuffle_ps(a, b, 0x88)}, F32x16{_mm512_shuffle_ps(a, b, 0xdd)});
  return {_mm512_permutexvar_ps(_mm512_set_epi32(15, 11, 7, 3, 14, 10, 6, 2, 13, 9, 5, 1, 12, 8, 4, 0), turned.v)};
}

inline F32x16 widen(__m256i h) { return {_mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(h), 16))}; }
inline F32x16 load(const bf16* p) { return widen(_mm256_loadu_si256((const __m256i*)p)); }
inline F32x16 load(const bf16* p, int64_t n) { return n >= 16 ? load(p) : widen(_mm256_maskz_loadu_epi16(head(n), p)); }
inline __m256i narrow(F32x16 a) {  // round to nearest even; NaN stays NaN
#ifdef LIMR_NATIVE_DOT2
  constexpr int kDenormal = 0x20;  // which the instruction would make zero; where they are flushed there are none
  if (__builtin_expect(_mm512_fpclass_ps_mask(a.v, kDenormal) == 0, 1)) return (__m256i)_mm512_cvtneps_pbh(a.v);
#endif
  const __m512i u = _mm512_castps_si512(a.v);
  const __m512i lsb = _mm512_and_si512(_mm512_srli_epi32(u, 16), _mm512_set1_epi32(1));
  __m512i r = _mm512_srli_epi32(_mm512_add_epi32(_mm512_add_epi32(u, _mm512_set1_epi32(0x7fff)), lsb), 16);
  const __mmask16 nan = _mm512_cmp_ps_mask(a.v, a.v, 3);
  r = _mm512_mask_or_epi32(r, nan, _mm512_srli_epi32(u, 16), _mm512_set1_epi32(0x40));
  return _mm512_cvtepi32_epi16(r);
}
inline void store(bf16* p, F32x16 a) { _mm256_storeu_si256((__m256i*)p, narrow(a)); }
// Neither of them denormal.
inline void store(bf16* p, F32x16 a, F32x16 b) {
#ifdef LIMR_NATIVE_DOT2
  _mm512_storeu_si512(p, (__m512i)_mm512_cvtne2ps_pbh(b.v, a.v));
#else
  store(p, a), store(p + 16, b);
#endif
}
inline void store(bf16* p, F32x16 a, int64_t n) {
  if (n >= 16)
    store(p, a);
  else
    _mm256_mask_storeu_epi16(p, head(n), narrow(a));
}

// dst[2i] = a[i], dst[2i+1] = b[i] for i < 16.
inline __m512i zip(const bf16* a, const bf16* b) {
  const __m512i x = _mm512_cvtepu16_epi32(_mm256_loadu_si256((const __m256i*)a));
  const __m512i y = _mm512_cvtepu16_epi32(_mm256_loadu_si256((const __m256i*)b));
  return _mm512_or_si512(x, _mm512_slli_epi32(y, 16));
}
inline void store_zipped(bf16* dst, const bf16* a, const bf16* b) { _mm512_storeu_si512(dst, zip(a, b)); }
// The same with each pair twice: dst[4i + {0, 2}] = a[i], dst[4i + {1, 3}] = b[i].
inline void store_zipped_twice(bf16* dst, const bf16* a, const bf16* b) {
  const __m512i zipped = zip(a, b), lo = _mm512_set_epi32(7, 7, 6, 6, 5, 5, 4, 4, 3, 3, 2, 2, 1, 1, 0, 0);
  _mm512_storeu_si512(dst, _mm512_permutexvar_epi32(lo, zipped));
  _mm512_storeu_si512(dst + 32, _mm512_permutexvar_epi32(_mm512_add_epi32(lo, _mm512_set1_epi32(8)), zipped));
}

// Eight by eight quads (a, b, c, d) of bf16, `ld_src` elements between rows, transposed into quads (a, c, b, d).
constexpr int64_t kQuads = 8;
inline void turn_quads(bf16* dst, int64_t ld_dst, const bf16* src, int64_t ld_src) {
  const __m512i swap = _mm512_broadcast_i32x4(_mm_set_epi8(15, 14, 11, 10, 13, 12, 9, 8, 7, 6, 3, 2, 5, 4, 1, 0));
  __m512i r[8], t[8];
  for (int i = 0; i < 8; ++i) r[i] = _mm512_shuffle_epi8(_mm512_loadu_si512(src + i * ld_src), swap);
  for (int i = 0; i < 8; i += 2) {  // t[i + s], lane c: column 2c + s of rows i and i+1
    t[i] = _mm512_unpacklo_epi64(r[i], r[i + 1]);
    t[i + 1] = _mm512_unpackhi_epi64(r[i], r[i + 1]);
  }
  for (int s = 0; s < 2; ++s) {
    const __m512i even0 = _mm512_shuffle_i64x2(t[s], t[s + 2], 0x88), odd0 = _mm512_shuffle_i64x2(t[s], t[s + 2], 0xdd);
    const __m512i even1 = _mm512_shuffle_i64x2(t[s + 4], t[s + 6], 0x88);
    const __m512i odd1 = _mm512_shuffle_i64x2(t[s + 4], t[s + 6], 0xdd);
    _mm512_storeu_si512(dst + s * ld_dst, _mm512_shuffle_i64x2(even0, even1, 0x88));
    _mm512_storeu_si512(dst + (s + 2) * ld_dst, _mm512_shuffle_i64x2(odd0, odd1, 0x88));
    _mm512_storeu_si512(dst + (s + 4) * ld_dst, _mm512_shuffle_i64x2(even0, even1, 0xdd));
    _mm512_storeu_si512(dst + (s + 6) * ld_dst, _mm512_shuffle_i64x2(odd0, odd1, 0xdd));
  }
}

// Sixteen lanes of two bf16 each; one such pair in every lane; two by turns.
#ifdef LIMR_NATIVE_DOT2
struct Pairs {
  __m512i v;
};
inline Pairs load_pairs(const bf16* p) { return {_mm512_loadu_si512(p)}; }
inline Pairs splat_pair(const bf16* p) {
  int32_t word;
  __builtin_memcpy(&word, p, 4);
  return {_mm512_set1_epi32(word)};
}
inline Pairs splat_two_pairs(const bf16* p) {
  int64_t words;
  __builtin_memcpy(&words, p, 8);
  return {_mm512_set1_epi64(words)};
}
// acc + a[1]*b[1] + a[0]*b[0]: two fused multiply-adds, the odd element first.
inline F32x16 dot2(F32x16 acc, Pairs a, Pairs b) { return {_mm512_dpbf16_ps(acc.v, (__m512bh)a.v, (__m512bh)b.v)}; }
constexpr int kTileRows = 12, kTileVectors = 2, kGradientRows = 12, kGradientVectors = 4;
#else
struct Pairs {
  F32x16 even, odd;
};
inline Pairs split(__m512i v) {
  return {{_mm512_castsi512_ps(_mm512_slli_epi32(v, 16))},
          {_mm512_castsi512_ps(_mm512_and_si512(v, _mm512_set1_epi32(int(0xffff0000u))))}};
}
inline Pairs load_pairs(const bf16* p) { return split(_mm512_loadu_si512(p)); }
inline Pairs splat_pair(const bf16* p) {
  int32_t word;
  __builtin_memcpy(&word, p, 4);
  return split(_mm512_set1_epi32(word));
}
inline Pairs splat_two_pairs(const bf16* p) {
  int64_t words;
  __builtin_memcpy(&words, p, 8);
  return split(_mm512_set1_epi64(words));
}
inline F32x16 dot2(F32x16 acc, Pairs a, Pairs b) { return fma(a.even, b.even, fma(a.odd, b.odd, acc)); }
constexpr int kTileRows = 12, kTileVectors = 2, kGradientRows = 24, kGradientVectors = 2;
#endif
