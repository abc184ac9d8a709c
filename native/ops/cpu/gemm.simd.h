// native/ops/cpu/gemm.simd.h - the product of bf16 rows and panels, and what happens to a finished tile.

constexpr int64_t kPanel = 2 * kPanelRows;  // bf16 elements a pair of inputs takes in a panel

// The left operand: inputs 2k and 2k+1 of row r lie at `at + r * row + k * pair`.
struct Rows {
  const bf16* at;
  int64_t row, pair;
  Rows from(int64_t r, int64_t k) const { return {at + r * row + k * pair, row, pair}; }
};

// What the products after this one read: every four pairs `lines` cache lines at `at`, which moves on by `step` bytes, and by `jump`
// more after `left` times, then after every `run`.
struct Ahead {
  const char* at = nullptr;
  int64_t step = 0, lines = 0;
  int64_t left = INT64_MAX / 4, run = 0, jump = 0;
};

template <int MR, int NV>
struct Sums {
  F32x16 at[MR][NV];
};

// sums[r][v] += a . b over `pairs`, one accumulator an output. Zipped, r counts pairs of rows, whose outputs lie beside each other,
// and b has each of its pairs twice.
template <bool Zipped = false, int MR, int NV>
__attribute__((always_inline)) inline void add_products(Sums<MR, NV>& sums, Rows a, const bf16* b, int64_t ldb,
                                                        int64_t pairs, Ahead ahead = {}) {
  const auto step = [&]() __attribute__((always_inline)) {
    Pairs bv[NV];
#pragma GCC unroll 16
    for (int v = 0; v < NV; ++v) bv[v] = load_pairs(b + 32 * v);
#pragma GCC unroll 16
    for (int r = 0; r < MR; ++r) {
      const Pairs av = Zipped ? splat_two_pairs(a.at + r * a.row) : splat_pair(a.at + r * a.row);
#pragma GCC unroll 16
      for (int v = 0; v < NV; ++v) sums.at[r][v] = dot2(sums.at[r][v], av, bv[v]);
    }
    a.at += a.pair, b += ldb;
  };
  int64_t k = 0;
  while (k + 4 <= pairs) {
    const int64_t end = ahead.left < (pairs - k) / 4 ? k + 4 * ahead.left : pairs;
    for (; k + 4 <= end; k += 4) {
      for (int64_t i = 0; i < ahead.lines; ++i) __builtin_prefetch(ahead.at + 64 * i, 0, Zipped ? 3 : 2);
      ahead.at += ahead.step;
      step(), step(), step(), step();
    }
    ahead.at += ahead.jump, ahead.left = ahead.run;
  }
  for (; k < pairs; ++k) step();
}

// c[MR, 16*NV] = (accumulate ? c : 0) + a . b over `pairs`. A function of its own: inlined, it would share the registers with its
// caller.
template <int MR, int NV, bool Zipped>
__attribute__((noinline)) void tile(float* c, int64_t ldc, Rows a, const bf16* b, int64_t ldb, int64_t pairs,
                                    bool accumulate, Ahead ahead) {
  Sums<MR, NV> sums;
#pragma GCC unroll 16
  for (int r = 0; r < MR; ++r)
#pragma GCC unroll 16
    for (int v = 0; v < NV; ++v) sums.at[r][v] = accumulate ? load(c + r * ldc + 16 * v) : splat(0.0f);
  add_products<Zipped>(sums, a, b, ldb, pairs, ahead);
#pragma GCC unroll 16
  for (int r = 0; r < MR; ++r)
#pragma GCC unroll 16
    for (int v = 0; v < NV; ++v) store(c + r * ldc + 16 * v, sums.at[r][v]);
}

template <int N>
struct Count {
  static constexpr int value = N;
};

// body(Count<n>) for n of 1 .. Most.
template <int64_t Most, typename F>
inline void with_count(int64_t n, F&& body) {
  switch (n) {
#define LIMR_COUNT(N)                          \
  case N:                                      \
    if constexpr (N <= Most) body(Count<N>{}); \
    break;
    LIMR_COUNT(1)
    LIMR_COUNT(2)
    LIMR_COUNT(3)
    LIMR_COUNT(4)
    LIMR_COUNT(5)
    LIMR_COUNT(6)
    LIMR_COUNT(7)
    LIMR_COUNT(8)
    LIMR_COUNT(9)
    LIMR_COUNT(10)
    LIMR_COUNT(11)
    LIMR_COUNT(12)
#undef LIMR_COUNT
    default:
      break;
  }
}

template <int NV, bool Zipped>
inline void tile_of(int64_t rows, float* c, int64_t ldc, Rows a, const bf16* b, int64_t ldb, int64_t pairs,
                    bool accumulate, Ahead ahead) {
  const auto run = [&](auto n) __attribute__((always_inline)) {
    tile<n.value, NV, Zipped>(c, ldc, a, b, ldb, pairs, accumulate, ahead);
  };
  with_count<Zipped ? kGradientRows / 2 : kTileRows>(rows, run);
}

// The same for at most kTileRows rows, or kGradientRows/2 zipped pairs of them, and 16 * vectors columns.
template <bool Zipped = false>
inline void product_tile(int64_t rows, int64_t vectors, float* c, int64_t ldc, Rows a, const bf16* b, int64_t ldb,
                         int64_t pairs, bool accumulate, Ahead ahead = {}) {
  constexpr int kVectors = Zipped ? kGradientVectors : kTileVectors;
  int64_t v = 0;
  for (; v + kVectors <= vectors; v += kVectors)
    tile_of<kVectors, Zipped>(rows, c + 16 * v, ldc, a, b + 32 * v, ldb, pairs, accumulate, v == 0 ? ahead : Ahead{});
  if constexpr (kVectors > 1 && !Zipped)
    for (; v < vectors; ++v) tile_of<1, Zipped>(rows, c + 16 * v, ldc, a, b + 32 * v, ldb, pairs, accumulate, {});
}

// Any number of rows, cut into tiles of nearly the same height: a low tile would wait for its own sums. What is ahead is fetched
// during the first tile.
inline void product(int64_t rows, int64_t vectors, float* c, int64_t ldc, const bf16* a, int64_t lda, const bf16* b,
                    int64_t ldb, int64_t pairs, bool accumulate, Ahead ahead = {}) {
  const int64_t tiles = (rows + kTileRows - 1) / kTileRows;
  for (int64_t i = 0; i < tiles; ++i) {
    const int64_t r = rows * i / tiles, end = rows * (i + 1) / tiles;
    product_tile(end - r, vectors, c + r * ldc, ldc, {a + r * lda, lda, 2}, b, ldb, pairs, accumulate,
                 i == 0 ? ahead : Ahead{});
  }
}

inline F32x16 sigmoid(F32x16 x) { return div(splat(1.0f), add(splat(1.0f), exp(sub(splat(0.0f), x)))); }

// Rows [m, m+rows) of panel p, finished in t [rows][32].
inline void finish_linear(const GemmArgs& g, int64_t m, int64_t rows, int64_t p, const float* t) {
  const int64_t n = p * kPanelRows, width = g.N - n;
  for (int64_t j = 0; j < kPanelRows && j < width; j += 16) {
    const int64_t w = width - j;
    const F32x16 bias = g.bias ? load(g.bias + n + j, w) : splat(0.0f);
    for (int64_t r = 0; r < rows; ++r) {
      F32x16 x = load(t + r * kPanelRows + j);
      if (g.bias) x = add(x, bias);
      if (g.residual) x = add(x, load(g.residual + (m + r) * g.ldr + n + j, w));
      if (g.mode == GemmArgs::kBf16)
        store((bf16*)g.c + (m + r) * g.ldc + n + j, x, w);
      else
        store((float*)g.c + (m + r) * g.ldc + n + j, x, w);
    }
  }
}

inline void finish_swiglu(const GemmArgs& g, int64_t m, int64_t rows, int64_t p, const float* t) {
  const int64_t n = p * kPanelRows;
  for (int64_t r = 0; r < rows; ++r, t += kPanelRows) {
    const F32x16 gate = load(t), up = load(t + 16);
    if (g.gate_up) {
      store(g.gate_up + (m + r) * g.ldg + n, gate);
      store(g.gate_up + (m + r) * g.ldg + n + 16, up);
    }
    store((bf16*)g.c + (m + r) * g.ldc + n / 2, mul(mul(gate, sigmoid(gate)), up));
  }
}

inline void finish_swiglu_backward(const GemmArgs& g, int64_t m, int64_t rows, int64_t p, const float* t) {
  const int64_t n = p * kPanelRows, width = g.N - n;
  for (int64_t r = 0; r < rows; ++r, t += kPanelRows)
    for (int64_t j = 0; j < kPanelRows && j < width; j += 16) {
      const bf16* saved = g.gate_up + (m + r) * g.ldg + 2 * (n + j);
      bf16* out = (bf16*)g.c + (m + r) * g.ldc + 2 * (n + j);
      const F32x16 x = load(t + j), gate = load(saved), up = load(saved + 16), s = sigmoid(gate);
      const F32x16 slope = mul(s, fma(gate, sub(splat(1.0f), s), splat(1.0f)));
      store(out, mul(mul(x, up), slope));
      store(out + 16, mul(x, mul(gate, s)));
    }
}

inline void finish_tile(const GemmArgs& g, int64_t m, int64_t rows, int64_t p, const float* t) {
  if (g.mode == GemmArgs::kSwiglu)
    finish_swiglu(g, m, rows, p, t);
  else if (g.mode == GemmArgs::kSwigluBackward)
    finish_swiglu_backward(g, m, rows, p, t);
  else
    finish_linear(g, m, rows, p, t);
}

// Before the products of a tile that accumulates: what is there already.
inline void start_tile(const GemmArgs& g, int64_t m, int64_t rows, int64_t p, float* t) {
  const int64_t n = p * kPanelRows, width = g.N - n;
  for (int64_t r = 0; r < rows; ++r)
    for (int64_t j = 0; j < kPanelRows; j += 16)
      store(t + r * kPanelRows + j,
            j < width ? load((const float*)g.c + (m + r) * g.ldc + n + j, width - j) : splat(0.0f));
}

// Panels are read in blocks of pairs, which stay in the second-level cache while the rows of a task pass by; the sums of
// those rows wait in `sums` for the next block.
constexpr int64_t kBlockPairs = 1024, kBlockRows = 1024;
constexpr int64_t kLateTiles = 8;  // of a block, the last: the next block is fetched during them, the next rows before
constexpr int64_t kGroupPairs = 1792;   // of all panels that are passed at once, when a panel is one block
constexpr int64_t kGradientPanels = 2;  // of a gradient, at once: half as many pairs each, which lie there twice
alignas(64) thread_local float sums[kBlockRows * kPanelRows];
// A block as products read it: panels turned, or rows paired.
alignas(64) thread_local bf16 laid_out[kGradientPanels * kBlockPairs * kPanel];

// Pairs [k, k+pairs) of panel q of the transposed weight: from panels of [.., cols] (outputs beside each other)
// to [pairs of outputs][32 inputs][2].
inline void turn_block(bf16* out, const bf16* panels, int64_t cols, int64_t q, int64_t k, int64_t pairs) {
  const int64_t first = q * kPanelRows, width = cols - first < kPanelRows ? cols - first : kPanelRows;
  const int64_t whole = width / (2 * kQuads) * (2 * kQuads);
  int64_t i = 0;
  for (; i < pairs; i += kQuads) {
    const int64_t n = 2 * (k + i);
    const bf16* src = panels + n / kPanelRows * kPanelRows * cols + first * kPanelRows + n % kPanelRows * 2;
    bf16* dst = out + i * kPanel;
    for (int64_t j = 0; j < whole; j += 2 * kQuads) turn_quads(dst + 2 * j, kPanel, src + j * kPanelRows, kPanel);
    // what is left of the last panel: a quad holds (n,j) (n,j+1) (n+1,j) (n+1,j+1)
    for (int64_t r = 0; r < kQuads; ++r)
      for (int64_t j = whole; j < kPanelRows; ++j)
        for (int64_t e = 0; e < 2; ++e)
          dst[r * kPanel + 2 * j + e] = j < width ? src[j / 2 * kPanel + 4 * r + 2 * e + j % 2] : bf16(0);
  }
}

// Cuts pairs into blocks of equal size, whole rows of a panel to turn each.
inline int64_t block_pairs(int64_t pairs, int64_t most) {
  const int64_t blocks = (pairs + most - 1) / most;
  return blocks == 0 ? 1 : ((pairs + blocks - 1) / blocks + 15) / 16 * 16;
}

// A block of pairs of some panels: [k, k + pairs) of panels [p0, p1).
struct Block {
  int64_t p0, p1, k, pairs;
};

// What the `call`th of `calls` products of a block fetches of the one after it: the panels as they lie, or, to be turned, as runs
// of panels [p0, p1) for 32 outputs each.
inline Ahead ahead_of(const GemmArgs& g, const Block& b, int64_t call, int64_t calls) {
  if (calls > 512 * (b.p1 - b.p0)) return {};  // nothing comes, or what comes is small
  const int64_t step = 512 * (b.p1 - b.p0) / calls, lines = (step + 63) / 64, times = call * (b.pairs / 4);
  if (!g.turn) return {(const char*)(g.b + (b.p0 * g.pairs + b.k) * kPanel) + times * step, step, lines};
  const int64_t bytes = (b.p1 - b.p0) * kPanelRows * kPanelRows * 2, run = (bytes + step - 1) / step;
  const int64_t stride = kPanelRows * g.N * 2, past = times % run;
  const char* first = (const char*)(g.b + 2 * b.k * g.N + b.p0 * kPanelRows * kPanelRows);
  return {first + times / run * stride + past * step, step, lines, run - past, run, stride - run * step};
}

// The rows [m, m + kTileRows) of a block's pairs, a run each.
inline Ahead rows_ahead(const GemmArgs& g, int64_t m, int64_t k, int64_t pairs) {
  constexpr int64_t kLines = kTileRows / 4, kStep = 64 * kLines;
  const int64_t run = (4 * pairs + kStep - 1) / kStep;
  return {(const char*)(g.a + m * g.lda + 2 * k), kStep, kLines, run, run, 2 * g.lda - run * kStep};
}

// The block, for rows [first, last). `next` is the block after it, or empty.
inline void gemm_block(const GemmArgs& g, const Block& block, int64_t first, int64_t last, const Block& next) {
  const auto [p0, p1, k, pairs] = block;
  const int64_t tiles = (last - first + kTileRows - 1) / kTileRows;
  const int64_t late = tiles < kLateTiles ? tiles : kLateTiles, before = tiles - late;
  const bool starts = k == 0, ends = k + pairs == g.pairs, add = g.mode == GemmArgs::kF32Add;
  const bf16* panels = g.turn ? laid_out : g.b + (p0 * g.pairs + k) * kPanel;
  const int64_t stride = (g.turn ? pairs : g.pairs) * kPanel;
  if (g.turn)
    for (int64_t p = p0; p < p1; ++p) turn_block(laid_out + (p - p0) * stride, g.b, g.N, p, k, pairs);
  for (int64_t i = 0; i < tiles; ++i) {
    const int64_t m = first + (last - first) * i / tiles, end = first + (last - first) * (i + 1) / tiles;
    for (int64_t p = p0; p < p1; ++p) {
      const bf16* b = panels + (p - p0) * stride;
      float* t = starts && ends ? sums : sums + (m - first) * kPanelRows;
      if (starts && add) start_tile(g, m, end - m, p, t);
      Ahead ahead;
      if (i < before && p == p0)
        ahead = rows_ahead(g, end, k, pairs);
      else if (i >= before && (g.turn || tiles > 1))
        ahead = ahead_of(g, next, (i - before) * (p1 - p0) + p - p0, late * (p1 - p0));
      else if (i >= before && end - m > 8)
        ahead = {(const char*)b + 4096, 512, 8};
      product_tile(end - m, kPanelRows / 16, t, kPanelRows, Rows{g.a, g.lda, 2}.from(m, k), b, kPanel, pairs,
                   !starts || add, ahead);
      if (ends) finish_tile(g, m, end - m, p, t);
    }
  }
}

// Panels [panel_begin, panel_end) of rows [row_begin, row_end). As many panels at once as the second-level cache holds: a row's
// outputs are then written side by side. For a few rows one: there the next panel, on its way from memory, needs the room.
void gemm(const GemmArgs& g, int64_t panel_begin, int64_t panel_end, int64_t row_begin, int64_t row_end) {
  const int64_t block = block_pairs(g.pairs, kBlockPairs);
  const int64_t fit = block < g.pairs ? 1 : (g.turn ? kBlockPairs : kGroupPairs) / block,
                group = fit < 1 || row_end - row_begin <= 2 * kTileRows ? 1 : fit;
  const int64_t panels = (g.N + kPanelRows - 1) / kPanelRows;
  for (int64_t p = panel_begin; p < panel_end; p += group) {
    const int64_t end = p + group < panel_end ? p + group : panel_end;
    for (int64_t m = row_begin; m < row_end; m += kBlockRows)
      for (int64_t k = 0; k == 0 || k < g.pairs; k += block) {
        const auto pairs = [&](int64_t from) { return g.pairs - from < block ? g.pairs - from : block; };
        Block next = {p, end, k + block, 0};  // which may be another task's
        if (k + block >= g.pairs) next = {end, end + group < panels ? end + group : panels, 0, 0};
        next.pairs = pairs(next.k);
        gemm_block(g, {p, end, k, pairs(k)}, m, m + kBlockRows < row_end ? m + kBlockRows : row_end, next);
      }
  }
}

// Columns of [M, N] in tiles of kGradientRows, their rows in pairs: dst [ceil(M/2)][kGradientRows][2] for tile i, zero past M.
void zip_tile(bf16* dst, const bf16* src, int64_t ld, int64_t M, int64_t N, int64_t i) {
  const int64_t first = i * kGradientRows;
  for (int64_t m = 0; m < M; m += 2, dst += 2 * kGradientRows)
    for (int64_t j = 0; j < kGradientRows; j += 16) {
      alignas(64) bf16 even[16] = {}, odd[16] = {}, zipped[32];
      const int64_t n = first + j, width = n >= N ? 0 : N - n < 16 ? N - n : 16, kept = kGradientRows - j;
      if (width == 16) {
        __builtin_memcpy(even, src + m * ld + n, 32);
        if (m + 1 < M) __builtin_memcpy(odd, src + (m + 1) * ld + n, 32);
      } else {
        __builtin_memcpy(even, src + m * ld + n, size_t(width) * 2);
        if (m + 1 < M) __builtin_memcpy(odd, src + (m + 1) * ld + n, size_t(width) * 2);
      }
      store_zipped(zipped, even, odd);
      __builtin_memcpy(dst + 2 * j, zipped, kept < 16 ? 4 * kept : 64);
    }
}

// Rows [m, m + 2*pairs) of columns [n, n+32) of [M, N], their pairs twice: dst [pairs][32][2][2], zero past M and N.
inline void pair_rows_twice(bf16* dst, const bf16* src, int64_t ld, int64_t M, int64_t N, int64_t m, int64_t n,
                            int64_t pairs) {
  const int64_t width = N - n < kPanelRows ? N - n : kPanelRows;
  const bf16 zero[kPanelRows] = {};
  bf16 edge[2][kPanelRows];
  for (int64_t end = m + 2 * pairs; m < end; m += 2, dst += 2 * kPanel) {
    const bf16* even = m < M ? src + m * ld + n : zero;
    const bf16* odd = m + 1 < M ? src + (m + 1) * ld + n : zero;
    if (width < kPanelRows) {
      for (int64_t j = 0; j < kPanelRows; ++j) {
        edge[0][j] = j < width ? even[j] : bf16(0);
        edge[1][j] = j < width ? odd[j] : bf16(0);
      }
      even = edge[0], odd = edge[1];
    }
    store_zipped_twice(dst, even, odd);
    store_zipped_twice(dst + kPanel, even + 16, odd + 16);
  }
}

// Of a gradient: inputs [tile_begin, tile_end) * kGradientRows of panels [panel_begin, panel_end), two panels at once where a tile
// of inputs is large: it is then read once for both. g.inp is what zip_tile made. During a tile's products come the gradient of a
// later one, and some of the rows that the next block pairs.
void gemm_gradient(const GradientArgs& g, int64_t panel_begin, int64_t panel_end, int64_t tile_begin,
                   int64_t tile_end) {
  const int64_t all = (g.M + 1) / 2, block = block_pairs(all, kBlockPairs / 2), tiles = tile_end - tile_begin;
  const int64_t group = block < kBlockPairs / 4 ? 1 : kGradientPanels;  // a small tile of inputs is nearby anyhow
  for (int64_t p0 = panel_begin; p0 < panel_end; p0 += group)
    for (int64_t k = 0; k < all; k += block) {
      const int64_t p1 = p0 + group < panel_end ? p0 + group : panel_end;
      const int64_t pairs = all - k < block ? all - k : block, steps = pairs < 4 ? 1 : pairs / 4;
      const int64_t lines = (kGradientRows * kPanelRows / 16 + steps - 1) / steps;
      const int64_t next_m = 2 * (k + block < all ? k + block : 0), next_n = (next_m == 0 ? p1 : p0) * kPanelRows;
      const int64_t next_rows = next_n < g.N && g.M - next_m < 2 * block ? g.M - next_m : next_n < g.N ? 2 * block : 0;
      const int64_t share = (next_rows + tiles - 1) / tiles, stride = pairs * 2 * kPanel;
      const bf16* next = g.dout + next_m * g.ldd + next_n;
      for (int64_t p = p0; p < p1; ++p)
        pair_rows_twice(laid_out + (p - p0) * stride, g.dout, g.ldd, g.M, g.N, 2 * k, p * kPanelRows, pairs);
      for (int64_t i = tile_begin, r = 0; i < tile_end; ++i) {
        const int64_t m = i * kGradientRows, rows = g.K - m < kGradientRows ? g.K - m : kGradientRows;
        const bf16* a = g.inp + (i * all + k) * 2 * kGradientRows;
        for (const int64_t end = r + share; r < end && r < next_rows; ++r)
          for (int64_t p = p0; p < p1; ++p) __builtin_prefetch(next + r * g.ldd + (p - p0) * kPanelRows, 0, 2);
        for (int64_t p = p0; p < p1; ++p) {
          float* c = g.dweight + p * kPanelRows * g.K + m * kPanelRows;
          product_tile<true>(rows / 2, 2 * kPanelRows / 16, c, kPanel, {a, 4, 2 * kGradientRows},
                             laid_out + (p - p0) * stride, 2 * kPanel, pairs, true,
                             {(const char*)(c + 4 * kGradientRows * kPanelRows), 64 * lines, lines});
        }
      }
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
