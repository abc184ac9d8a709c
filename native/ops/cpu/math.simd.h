// native/ops/cpu/math.simd.h - elementary functions, by the same operations on every instruction set.

// e^x to about 1 ulp: x = n ln 2 + r, a degree-6 polynomial in r (Cephes), then 2^n. 0 below -87.3, saturates at 88, keeps NaN.
inline F32x16 exp(F32x16 x) {
  const F32x16 y = min(splat(88.0f), max(splat(-87.3f), x));  // x second: NaN goes through
  const F32x16 n = round_even(mul(y, splat(1.44269504f)));
  F32x16 r = fma(n, splat(-0.693359375f), y);
  r = fma(n, splat(2.12194440e-4f), r);
  F32x16 p = splat(1.9875691500e-4f);
  p = fma(p, r, splat(1.3981999507e-3f));
  p = fma(p, r, splat(8.3334519073e-3f));
  p = fma(p, r, splat(4.1665795894e-2f));
  p = fma(p, r, splat(1.6666665459e-1f));
  p = fma(p, r, splat(5.0000001201e-1f));
  p = add(fma(p, mul(r, r), r), splat(1.0f));
  return zero_below(x, -87.3f, mul(p, exp2_integral(n)));
}

// Dot product of n floats-to-be, in 16 lanes.
template <typename A, typename B>
inline float dot(const A* a, const B* b, int64_t n) {
  F32x16 acc = splat(0.0f);
  int64_t i = 0;
  for (; i + 16 <= n; i += 16) acc = fma(load(a + i), load(b + i), acc);
  if (i < n) acc = fma(load(a + i, n - i), load(b + i, n - i), acc);
  return sum(acc);
}

// Lane i: the sum, or the largest, of the lanes of rows[i].
inline F32x16 row_sums(F32x16* rows) {
#ifdef LIMR_ACROSS_ROWS
  return across_rows(rows, [](F32x16 a, F32x16 b) { return add(a, b); });
#else
  float sums[16];
  for (int i = 0; i < 16; ++i) sums[i] = sum(rows[i]);
  return load(sums);
#endif
}
inline F32x16 row_maxima(F32x16* rows) {
#ifdef LIMR_ACROSS_ROWS
  return across_rows(rows, [](F32x16 a, F32x16 b) { return max(a, b); });
#else
  float maxima[16];
  for (int i = 0; i < 16; ++i) maxima[i] = max_lane(rows[i]);
  return load(maxima);
#endif
}
