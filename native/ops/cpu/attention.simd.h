// native/ops/cpu/attention.simd.h - see ops/attention.h. A tile is a few tokens times the query heads of one kv head.

constexpr int64_t kTile = 32;  // rows of a tile, at most
static_assert(kMaxGroup <= kTile);

inline const bf16* key_block(const AttentionArgs& p, const AttentionSequence& s, int64_t head, int64_t block) {
  return p.kv + s.pages[block] * p.page_stride + head * 2 * kPageKeys * p.D;
}

constexpr int64_t kChunk = 8;  // pages whose probabilities wait until their values are added in one pass

struct Chunk {
  alignas(64) bf16 probs[kChunk][kTile * kPageKeys];
  alignas(64) float factor[kChunk][kTile];  // of a row's sums so far, before the page
  bool scaled[kChunk];                      // some factor is not 1
  const bf16* values[kChunk];               // [16][D][2]
  int64_t pages, last_pairs;                // pairs of keys in the last page; in the others all
};

struct Softmax {
  alignas(64) float max_score[kTile], total[kTile];  // of the keys so far
};

// Scores of page i of the chunk become probabilities, by the largest score so far; they are overwritten. Row r sees the first
// visible + r / G keys of the page. Sixteen rows at a time, since a row waits for itself.
inline void softmax_page(Softmax& m, float* scores, int64_t rows, int64_t G, int64_t visible, float scale, Chunk& c,
                         int64_t i) {
  float* factor = c.factor[i];
  for (int64_t r = 0; visible < kPageKeys && r < rows; ++r)
    for (int64_t j = 0; j < kPageKeys; j += 16) {
      float* at = scores + r * kPageKeys + j;
      store(at, keep(load(at), visible + r / G - j, -__builtin_inff()));
    }
  F32x16 of_row[16];
  for (int64_t r0 = 0; r0 < rows; r0 += 16) {
#pragma GCC unroll 16
    for (int64_t r = 0; r < 16; ++r) {
      const float* at = scores + (r0 + r) * kPageKeys;
      of_row[r] = max(mul(load(at), splat(scale)), mul(load(at + 16), splat(scale)));
    }
    const F32x16 before = load(m.max_score + r0), now = max(row_maxima(of_row), before);
    store(m.max_score + r0, now);
    store(factor + r0, sub(before, now));
  }
  c.scaled[i] = false;
  for (int64_t r = 0; r < rows; ++r) {
    float* at = scores + r * kPageKeys;
    const F32x16 top = splat(m.max_score[r]);
    const F32x16 a = exp(sub(mul(load(at), splat(scale)), top));
    const F32x16 b = exp(sub(mul(load(at + 16), splat(scale)), top));
    store(c.probs[i] + r * kPageKeys, a, b);
    store(at, add(a, b));
    c.scaled[i] |= factor[r] != 0.0f;
  }
  for (int64_t r0 = 0; r0 < rows; r0 += 16) {
#pragma GCC unroll 16
    for (int64_t r = 0; r < 16; ++r) of_row[r] = load(scores + (r0 + r) * kPageKeys);
    const F32x16 f = exp(load(factor + r0));
    store(factor + r0, f);
    store(m.total + r0, add(mul(load(m.total + r0), f), row_sums(of_row)));
  }
}

// out[rows, 16*NV] = out * factor + probs . values, page after page, for rows from `row` on and columns from d on.
template <int MR, int NV>
inline void add_values(float* out, int64_t D, const Chunk& c, int64_t row, int64_t d, bool first) {
  Sums<MR, NV> sums;
  out += row * D + d;
#pragma GCC unroll 16
  for (int r = 0; r < MR; ++r)
#pragma GCC unroll 16
    for (int v = 0; v < NV; ++v) sums.at[r][v] = first ? splat(0.0f) : load(out + r * D + 16 * v);
  for (int64_t i = 0; i < c.pages; ++i) {
    if (c.scaled[i]) {
#pragma GCC unroll 16
      for (int r = 0; r < MR; ++r) {
        const F32x16 factor = splat(c.factor[i][row + r]);
#pragma GCC unroll 16
        for (int v = 0; v < NV; ++v) sums.at[r][v] = mul(sums.at[r][v], factor);
      }
    }
    add_products(sums, {c.probs[i] + row * kPageKeys, kPageKeys, 2}, c.values[i] + 2 * d, 2 * D,
                 i + 1 < c.pages ? kPageKeys / 2 : c.last_pairs);
  }
#pragma GCC unroll 16
  for (int r = 0; r < MR; ++r)
#pragma GCC unroll 16
    for (int v = 0; v < NV; ++v) store(out + r * D + 16 * v, sums.at[r][v]);
}

inline void add_values(float* out, int64_t rows, int64_t D, const Chunk& c, bool first) {
  const int64_t tiles = (rows + kTileRows - 1) / kTileRows;
  for (int64_t i = 0; i < tiles; ++i) {
    const int64_t row = rows * i / tiles;
    const auto add = [&](auto n) __attribute__((always_inline)) {
      int64_t d = 0;
      for (; d + 16 * kTileVectors <= D; d += 16 * kTileVectors)
        add_values<n.value, kTileVectors>(out, D, c, row, d, first);
      if constexpr (kTileVectors > 1)
        for (; d < D; d += 16) add_values<n.value, 1>(out, D, c, row, d, first);
    };
    with_count(rows * (i + 1) / tiles - row, add);
  }
}

// Tokens [t0, t1) of sequence s against kv head h.
void attention_forward(const AttentionArgs& p, const AttentionSequence& s, int64_t h, int64_t t0, int64_t t1) {
  Chunk c;
  alignas(64) bf16 q[kTile * kMaxHeadDim];
  alignas(64) float out[kTile * kMaxHeadDim], scores[kTile * kPageKeys] = {};
  Softmax m;
  const int64_t D = p.D, G = p.H / p.K, rows = (t1 - t0) * G, past = s.context - s.length;
  for (int64_t r = 0; r < rows; ++r)
    __builtin_memcpy(q + r * D, p.q + ((s.begin + t0 + r / G) * p.H + h * G + r % G) * D, size_t(D) * sizeof(bf16));
  for (int64_t r = 0; r < kTile; ++r) m.max_score[r] = -__builtin_inff(), m.total[r] = 0;
  const int64_t keys = past + t1;  // the last token's
  for (int64_t chunk = 0; chunk < keys; chunk += kChunk * kPageKeys) {
    c.pages = 0;
    for (int64_t key = chunk; key < keys && c.pages < kChunk; key += kPageKeys) {
      const bf16* k = key_block(p, s, h, key / kPageKeys);
      const int64_t i = c.pages++;
      c.values[i] = k + kPageKeys * D;
      Ahead ahead;
      if (key + kPageKeys < keys) ahead = {(const char*)key_block(p, s, h, key / kPageKeys + 1), 1024, 16};
      product(rows, kPageKeys / 16, scores, kPageKeys, q, D, k, 2 * kPageKeys, D / 2, false, ahead);
      softmax_page(m, scores, rows, G, past + t0 + 1 - key, p.scale, c, i);
      c.last_pairs = ((keys - key < kPageKeys ? keys - key : kPageKeys) + 1) / 2;
    }
    add_values(out, rows, D, c, chunk == 0);
  }
  for (int64_t r = 0; r < rows; ++r) {
    const int64_t n = s.begin + t0 + r / G, head = h * G + r % G;
    const F32x16 scale = splat(1.0f / m.total[r]);
    for (int64_t d = 0; d < D; d += 16) store(p.out + (n * p.H + head) * D + d, mul(load(out + r * D + d), scale));
    if (p.lse) p.lse[head * p.N + n] = m.max_score[r] + float(__builtin_log(double(m.total[r])));
  }
}

// A kv head of one sequence unpacked for backward, `keys` rounded up to whole blocks, zero past the context.
struct UnpackedHead {
  bf16* k;   // [keys, D]
  bf16* v;   // [keys, D]
  bf16* kt;  // [D, keys]
  int64_t keys;
};

inline void unpack_head(const AttentionArgs& p, const AttentionSequence& s, int64_t h, const UnpackedHead& u) {
  const int64_t D = p.D;
  for (int64_t j = 0; j < u.keys; ++j) {
    const bf16* k = key_block(p, s, h, j / kPageKeys);
    const bf16* v = k + kPageKeys * D + j % kPageKeys / 2 * 2 * D + j % 2;
    const bool inside = j < s.context;
    for (int64_t d = 0; d < D; ++d) {
      u.k[j * D + d] = inside ? k[d / 2 * 2 * kPageKeys + j % kPageKeys * 2 + d % 2] : bf16(0);
      u.v[j * D + d] = inside ? v[2 * d] : bf16(0);
      u.kt[d * u.keys + j] = u.k[j * D + d];
    }
  }
}

// Rows of a tile side by side: [D/2][32 rows][2] into lanes; [16 row pairs][D][2] into zipped. Rows past `rows` are zero.
inline void spread_rows(const bf16* src[kTile], int64_t rows, int64_t D, bf16* lanes, bf16* zipped) {
  const bf16 zero[kMaxHeadDim] = {};
  for (int64_t r = rows; r < kTile; ++r) src[r] = zero;
  for (int64_t r = 0; r < kTile; ++r)
    for (int64_t d = 0; d < D; d += 2) __builtin_memcpy(lanes + d * kTile + 2 * r, src[r] + d, 4);
  for (int64_t r = 0; r < kTile; r += 2)
    for (int64_t d = 0; d < D; d += 16) store_zipped(zipped + r * D + 2 * d, src[r] + d, src[r + 1] + d);
}

// One kv head of one whole sequence: its rows of dq, dk, dv.
void attention_backward(const AttentionArgs& p, const AttentionSequence& s, int64_t h, bf16* scratch) {
  alignas(64) bf16 q_lanes[kTile * kMaxHeadDim], dout_lanes[kTile * kMaxHeadDim];
  alignas(64) bf16 q_zipped[kTile * kMaxHeadDim], dout_zipped[kTile * kMaxHeadDim];
  alignas(64) float scores[kPageKeys * kTile], dprobs[kPageKeys * kTile], dq[kMaxHeadDim * kTile];
  alignas(64) bf16 probs[kPageKeys * kTile], dscores[kPageKeys * kTile], dscores_zipped[kPageKeys * kTile];
  alignas(64) float lse[kTile], delta[kTile], position[kTile];
  const int64_t D = p.D, G = p.H / p.K, T = s.length, KD = p.K * D;
  const int64_t keys = (T + kPageKeys - 1) / kPageKeys * kPageKeys;
  const UnpackedHead u{scratch, scratch + keys * D, scratch + 2 * keys * D, keys};
  unpack_head(p, s, h, u);
  float* dk = p.dk + s.begin * KD + h * D;
  float* dv = p.dv + s.begin * KD + h * D;
  for (int64_t t = 0; t < T; ++t)
    for (int64_t d = 0; d < D; ++d) dk[t * KD + d] = dv[t * KD + d] = 0;

  const int64_t tokens = kTile / G;
  for (int64_t t0 = 0; t0 < T; t0 += tokens) {
    const int64_t t1 = t0 + tokens < T ? t0 + tokens : T, rows = (t1 - t0) * G;
    const bf16 *q_rows[kTile], *dout_rows[kTile];
    for (int64_t r = 0; r < kTile; ++r) {
      lse[r] = delta[r] = 0;
      position[r] = -1;
      if (r >= rows) continue;
      const int64_t n = s.begin + t0 + r / G, head = h * G + r % G, at = (n * p.H + head) * D;
      q_rows[r] = p.q + at, dout_rows[r] = p.dout + at;
      lse[r] = p.lse[head * p.N + n];
      delta[r] = dot(p.dout + at, p.out + at, D);
      position[r] = float(t0 + r / G);
    }
    spread_rows(q_rows, rows, D, q_lanes, q_zipped);
    spread_rows(dout_rows, rows, D, dout_lanes, dout_zipped);
    for (int64_t key = 0; key < t1; key += kPageKeys) {
      const int64_t used = T - key < kPageKeys ? T - key : kPageKeys, used_even = (used + 1) / 2 * 2;
      product(used_even, kTile / 16, scores, kTile, u.k + key * D, D, q_lanes, 2 * kTile, D / 2, false);
      product(used_even, kTile / 16, dprobs, kTile, u.v + key * D, D, dout_lanes, 2 * kTile, D / 2, false);
      for (int64_t j = 0; j < used_even; ++j)
        for (int64_t r = 0; r < kTile; r += 16) {
          const F32x16 e = exp(sub(mul(load(scores + j * kTile + r), splat(p.scale)), load(lse + r)));
          const F32x16 prob = zero_below(sub(load(position + r), splat(float(key + j))), 0.0f, e);
          const F32x16 ds = mul(mul(prob, sub(load(dprobs + j * kTile + r), load(delta + r))), splat(p.scale));
          store(probs + j * kTile + r, prob);
          store(dscores + j * kTile + r, ds);
        }
      for (int64_t j = 0; j < used_even; j += 2)
        for (int64_t r = 0; r < kTile; r += 16)
          store_zipped(dscores_zipped + j * kTile + 2 * r, dscores + j * kTile + r, dscores + (j + 1) * kTile + r);
      product(used, D / 16, dv + key * KD, KD, probs, kTile, dout_zipped, 2 * D, kTile / 2, true);
      product(used, D / 16, dk + key * KD, KD, dscores, kTile, q_zipped, 2 * D, kTile / 2, true);
      product(D, kTile / 16, dq, kTile, u.kt + key, keys, dscores_zipped, 2 * kTile, used_even / 2, key > 0);
    }
    for (int64_t r = 0; r < rows; ++r) {
      float* out = p.dq + ((s.begin + t0 + r / G) * p.H + h * G + r % G) * D;
      for (int64_t d = 0; d < D; ++d) out[d] = dq[d * kTile + r];
    }
  }
}
