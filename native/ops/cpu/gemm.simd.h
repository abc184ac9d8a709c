// native/ops/cpu/gemm.simd.h - the product of bf16 rows and panels, and what happens to a finished tile.

constexpr int64_t kPanel = 2 * kPanelRows;  // bf16 elements a pair of inputs takes in a panel

// c[MR, 16*NV] = (accumulate ? c : 0) + a . b over `pairs`, one accumulator an output.
template <int MR, int NV>
inline void tile(float* c, int64_t ldc, const bf16* a, int64_t lda, const bf16* b, int64_t ldb, int64_t pairs,
                 bool accumulate) {
  F32x16 acc[MR][NV];
#pragma GCC unroll 16
  for (int r = 0; r < MR; ++r)
#pragma GCC unroll 16
    for (int v = 0; v < NV; ++v) acc[r][v] = accumulate ? load(c + r * ldc + 16 * v) : splat(0.0f);
  for (int64_t k = 0; k < pairs; ++k) {
    Pairs bv[NV];
#pragma GCC unroll 16
    for (int v = 0; v < NV; ++v) bv[v] = load_pairs(b + k * ldb + 32 * v);
#pragma GCC unroll 16
    for (int r = 0; r < MR; ++r) {
      const Pairs av = splat_pair(a + r * lda + 2 * k);
#pragma GCC unroll 16
      for (int v = 0; v < NV; ++v) acc[r][v] = dot2(acc[r][v], av, bv[v]);
    }
  }
#pragma GCC unroll 16
  for (int r = 0; r < MR; ++r)
#pragma GCC unroll 16
    for (int v = 0; v < NV; ++v) store(c + r * ldc + 16 * v, acc[r][v]);
}

template <int NV>
inline void tile_of(int64_t rows, float* c, int64_t ldc, const bf16* a, int64_t lda, const bf16* b, int64_t ldb,
                    int64_t pairs, bool accumulate) {
  switch (rows) {
#define LIMR_ROWS(R)                                                                      \
  case R:                                                                                 \
    if constexpr (R <= kTileRows) tile<R, NV>(c, ldc, a, lda, b, ldb, pairs, accumulate); \
    break;
    LIMR_ROWS(1)
    LIMR_ROWS(2)
    LIMR_ROWS(3)
    LIMR_ROWS(4)
    LIMR_ROWS(5)
    LIMR_ROWS(6)
    LIMR_ROWS(7)
    LIMR_ROWS(8)
    LIMR_ROWS(9)
    LIMR_ROWS(10)
    LIMR_ROWS(11)
    LIMR_ROWS(12)
#undef LIMR_ROWS
    default:
      break;
  }
}

// The same for any number of rows, and 16 * vectors columns.
inline void product(int64_t rows, int64_t vectors, float* c, int64_t ldc, const bf16* a, int64_t lda, const bf16* b,
                    int64_t ldb, int64_t pairs, bool accumulate) {
  for (int64_t r = 0; r < rows; r += kTileRows) {
    const int64_t n = rows - r < kTileRows ? rows - r : kTileRows;
    int64_t v = 0;
    for (; v + kTileVectors <= vectors; v += kTileVectors)
      tile_of<kTileVectors>(n, c + r * ldc + 16 * v, ldc, a + r * lda, lda, b + 32 * v, ldb, pairs, accumulate);
    if constexpr (kTileVectors > 1)
      for (; v < vectors; ++v)
        tile_of<1>(n, c + r * ldc + 16 * v, ldc, a + r * lda, lda, b + 32 * v, ldb, pairs, accumulate);
  }
}

inline F32x16 sigmoid(F32x16 x) { return div(splat(1.0f), add(splat(1.0f), exp(sub(splat(0.0f), x)))); }

// Rows [m, m+rows) of panel p, finished in t [rows][32].
inline void finish_tile(const GemmArgs& g, int64_t m, int64_t rows, int64_t p, const float* t) {
  const int64_t n = p * kPanelRows, width = g.N - n;
  for (int64_t r = 0; r < rows; ++r, t += kPanelRows) {
    const int64_t row = m + r;
    if (g.mode == GemmArgs::kSwiglu) {
      const F32x16 gate = load(t), up = load(t + 16);
      if (g.gate_up) {
        store(g.gate_up + row * g.ldg + n, gate);
        store(g.gate_up + row * g.ldg + n + 16, up);
      }
      store((bf16*)g.c + row * g.ldc + n / 2, mul(mul(gate, sigmoid(gate)), up));
      continue;
    }
    for (int64_t j = 0; j < kPanelRows && j < width; j += 16) {
      F32x16 x = load(t + j);
      if (g.mode == GemmArgs::kSwigluBackward) {
        const bf16* saved = g.gate_up + row * g.ldg + 2 * (n + j);
        bf16* out = (bf16*)g.c + row * g.ldc + 2 * (n + j);
        const F32x16 gate = load(saved), up = load(saved + 16), s = sigmoid(gate);
        const F32x16 slope = mul(s, fma(gate, sub(splat(1.0f), s), splat(1.0f)));
        store(out, mul(mul(x, up), slope));
        store(out + 16, mul(x, mul(gate, s)));
        continue;
      }
      if (g.bias) x = add(x, load(g.bias + n + j, width - j));
      if (g.residual) x = add(x, load(g.residual + row * g.ldr + n + j, width - j));
      if (g.mode == GemmArgs::kBf16)
        store((bf16*)g.c + row * g.ldc + n + j, x, width - j);
      else
        store((float*)g.c + row * g.ldc + n + j, x, width - j);
    }
  }
}

// Before the products of a tile that accumulates: what is there already.
inline void start_tile(const GemmArgs& g, int64_t m, int64_t rows, int64_t p, float* t) {
  const int64_t n = p * kPanelRows, width = g.N - n;
  for (int64_t r = 0; r < rows; ++r)
    for (int64_t j = 0; j < kPanelRows; j += 16)
      store(t + r * kPanelRows + j,
            j < width ? load((const float*)g.c + (m + r) * g.ldc + n + j, width - j) : splat(0.0f));
}

// A gradient tile: rows are inputs k of the weight, in pairs; panel p holds its outputs.
inline float* gradient(const GemmArgs& g, int64_t m, int64_t p) {
  return (float*)g.c + p * kPanelRows * g.M + m * kPanelRows;
}
inline void load_gradient(const float* src, int64_t rows, float* t) {
  for (int64_t r = 0; r < rows; r += 2, src += kPanel, t += kPanel)
    for (int64_t j = 0; j < kPanelRows; j += 16) {
      F32x16 even, odd;
      load_zipped(src + 2 * j, even, odd);
      store(t + j, even);
      store(t + kPanelRows + j, odd);
    }
}
inline void store_gradient(float* dst, int64_t rows, const float* t) {
  for (int64_t r = 0; r < rows; r += 2, dst += kPanel, t += kPanel)
    for (int64_t j = 0; j < kPanelRows; j += 16) store_zipped(dst + 2 * j, load(t + j), load(t + kPanelRows + j));
}

// Panels [panel_begin, panel_end) of rows [row_begin, row_end); the rows of a kPanelAdd come in even pieces.
void gemm(const GemmArgs& g, int64_t panel_begin, int64_t panel_end, int64_t row_begin, int64_t row_end) {
  alignas(64) float t[kTileRows * kPanelRows];
  const bool accumulate = g.mode == GemmArgs::kF32Add || g.mode == GemmArgs::kPanelAdd;
  for (int64_t p = panel_begin; p < panel_end; ++p) {
    const bf16* b = g.b + p * kPanel * g.pairs;
    for (int64_t m = row_begin; m < row_end; m += kTileRows) {
      const int64_t rows = row_end - m < kTileRows ? row_end - m : kTileRows;
      if (g.mode == GemmArgs::kF32Add) start_tile(g, m, rows, p, t);
      if (g.mode == GemmArgs::kPanelAdd) load_gradient(gradient(g, m, p), rows, t);
      product(rows, kPanelRows / 16, t, kPanelRows, g.a + m * g.lda, g.lda, b, kPanel, g.pairs, accumulate);
      if (g.mode == GemmArgs::kPanelAdd)
        store_gradient(gradient(g, m, p), rows, t);
      else
        finish_tile(g, m, rows, p, t);
    }
  }
}

// Rows of [M, N] into panels over pairs of rows, for panel p: dst [ceil(M/2)][32][2], zero past M and N.
void pack_rows(bf16* dst, const bf16* src, int64_t ld, int64_t M, int64_t N, int64_t p) {
  const int64_t n = p * kPanelRows, width = N - n < kPanelRows ? N - n : kPanelRows;
  const bf16 zero[kPanelRows] = {};
  bf16 edge[2][kPanelRows];
  for (int64_t m = 0; m < M; m += 2, dst += kPanel) {
    const bf16* even = src + m * ld + n;
    const bf16* odd = m + 1 < M ? even + ld : zero;
    if (width < kPanelRows) {
      for (int64_t j = 0; j < kPanelRows; ++j) {
        edge[0][j] = j < width ? even[j] : bf16(0);
        edge[1][j] = j < width ? odd[j] : bf16(0);
      }
      even = edge[0], odd = edge[1];
    }
    store_zipped(dst, even, odd);
    store_zipped(dst + 32, even + 16, odd + 16);
  }
}

// Rows [row_begin, row_end) of the transpose [N, M] of src [M, N]; columns past M up to `ld_dst` zero.
void transpose(bf16* dst, int64_t ld_dst, const bf16* src, int64_t ld_src, int64_t M, int64_t row_begin,
               int64_t row_end) {
  constexpr int64_t kBlock = 32;
  for (int64_t n0 = row_begin; n0 < row_end; n0 += kBlock) {
    const int64_t n1 = n0 + kBlock < row_end ? n0 + kBlock : row_end;
    for (int64_t m0 = 0; m0 < ld_dst; m0 += kBlock) {
      const int64_t m1 = m0 + kBlock < ld_dst ? m0 + kBlock : ld_dst, valid = m1 < M ? m1 : M;
      for (int64_t n = n0; n < n1; ++n) {
        for (int64_t m = m0; m < valid; ++m) dst[n * ld_dst + m] = src[m * ld_src + n];
        for (int64_t m = valid < m0 ? m0 : valid; m < m1; ++m) dst[n * ld_dst + m] = 0;
      }
    }
  }
}

// Panel q of the transposed weight: from panels of [N, K] (outputs beside each other) to [round_up(N,2)/2][32 inputs][2 outputs].
void transpose_panel(bf16* dst, const bf16* panels, int64_t N, int64_t K, int64_t q) {
  const int64_t k0 = q * kPanelRows, width = K - k0 < kPanelRows ? K - k0 : kPanelRows;
  for (int64_t n = 0; n < N; n += 2, dst += kPanel) {
    // outputs n and n+1 are neighbours in a panel: four values (n,k) (n,k+1) (n+1,k) (n+1,k+1) lie together
    const bf16* src = panels + n / kPanelRows * kPanelRows * K + k0 * kPanelRows + n % kPanelRows * 2;
    for (int64_t j = 0; j < width; j += 2, src += kPanel) {
      uint64_t quad;
      __builtin_memcpy(&quad, src, 8);
      const uint64_t swapped =
          (quad & 0xffff00000000ffffull) | (quad >> 16 & 0xffff0000ull) | (quad & 0xffff0000ull) << 16;
      __builtin_memcpy(dst + 2 * j, &swapped, 8);
    }
    for (int64_t j = width; j < kPanelRows; ++j) dst[2 * j] = dst[2 * j + 1] = 0;
  }
}

// sum_m src[m, n] added to dst[n], for columns [begin, end); in the order of m
void column_sums(float* dst, const bf16* src, int64_t ld, int64_t M, int64_t begin, int64_t end) {
  for (int64_t n = begin; n < end; n += 16) {
    F32x16 acc = load(dst + n, end - n);
    for (int64_t m = 0; m < M; ++m) acc = add(acc, load(src + m * ld + n, end - n));
    store(dst + n, acc, end - n);
  }
}
