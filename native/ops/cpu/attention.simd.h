// native/ops/cpu/attention.simd.h - see ops/attention.h. A tile is a few tokens times the query heads of one kv head.

constexpr int64_t kTile = kAttentionTile;  // rows of a tile, at most
static_assert(kMaxGroup <= kTile);

inline const bf16* key_block(const AttentionArgs& p, const AttentionSequence& s, int64_t head, int64_t block) {
  return p.kv + s.pages[block] * p.page_stride + head * 2 * kPageKeys * p.D;
}

constexpr int64_t kGroup = kAttentionGroup, kGroupRows = kGroup * kTile, kGroupKeys = kGroup * kPageKeys;
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
__attribute__((noinline)) void add_values(float* out, int64_t D, const Chunk& c, int64_t row, int64_t d, bool first) {
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
    with_count<kTileRows>(rows * (i + 1) / tiles - row, add);
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

// What backward keeps of one kv head of one sequence, `keys` of them, zero past the context; and of the rows it works on.
struct BackwardScratch {
  bf16* k;                     // [keys, D]
  bf16* v;                     // [keys, D]
  bf16* kt;                    // [keys / kGroupKeys][D][kGroupKeys]
  bf16 *q_lanes, *dout_lanes;  // [kGroup][D/2][kTile][2]
  bf16 *q_pairs, *dout_pairs;  // [kGroupRows/2][D][2]
  float* dq;                   // [kGroup][D][kTile]
};

inline BackwardScratch cut_scratch(bf16* at, int64_t keys, int64_t D) {
  const auto take = [&](int64_t rows) { return at += rows * D, at - rows * D; };
  return {take(keys),       take(keys),       take(keys),       take(kGroupRows),
          take(kGroupRows), take(kGroupRows), take(kGroupRows), (float*)take(2 * kGroupRows)};
}

inline void unpack_head(const AttentionArgs& p, const AttentionSequence& s, int64_t h, const BackwardScratch& u,
                        int64_t keys) {
  const int64_t D = p.D;
  for (int64_t key = 0; key < keys; key += kPageKeys) {
    const int64_t inside = s.context - key < kPageKeys ? s.context - key : kPageKeys;
    bf16 *k = u.k + key * D, *v = u.v + key * D;
    bf16* kt = u.kt + key / kGroupKeys * kGroupKeys * D + key % kGroupKeys;
    if (inside < kPageKeys) {
      __builtin_memset(k, 0, size_t(kPageKeys * D) * sizeof(bf16));
      __builtin_memset(v, 0, size_t(kPageKeys * D) * sizeof(bf16));
      for (int64_t d = 0; d < D; ++d) __builtin_memset(kt + d * kGroupKeys, 0, size_t(kPageKeys) * sizeof(bf16));
    }
    if (inside <= 0) continue;
    const bf16* page = key_block(p, s, h, key / kPageKeys);
    for (int64_t d = 0; d < D; d += 2, page += 2 * kPageKeys)
      for (int64_t j = 0; j < inside; ++j) {
        __builtin_memcpy(k + j * D + d, page + 2 * j, 2 * sizeof(bf16));
        kt[d * kGroupKeys + j] = page[2 * j], kt[(d + 1) * kGroupKeys + j] = page[2 * j + 1];
      }
    for (int64_t j = 0; j < inside; ++j)
      for (int64_t d = 0; d < D; ++d) v[j * D + d] = page[j / 2 * 2 * D + 2 * d + j % 2];
  }
}

// Rows of a tile side by side: [D/2][kTile][2] into lanes; [kTile/2][D][2] into pairs. Rows past `rows` are zero.
inline void spread_rows(const bf16* src[kTile], int64_t rows, int64_t D, bf16* lanes, bf16* pairs) {
  const bf16 zero[kMaxHeadDim] = {};
  for (int64_t r = rows; r < kTile; ++r) src[r] = zero;
  for (int64_t r = 0; r < kTile; ++r)
    for (int64_t d = 0; d < D; d += 2) __builtin_memcpy(lanes + d * kTile + 2 * r, src[r] + d, 2 * sizeof(bf16));
  for (int64_t r = 0; r < kTile; r += 2)
    for (int64_t d = 0; d < D; d += 16) store_zipped(pairs + r * D + 2 * d, src[r] + d, src[r + 1] + d);
}

// Of the rows of a group. Rows that are no tokens have position -1 and see nothing.
struct BackwardRows {
  alignas(64) float lse[kGroupRows], delta[kGroupRows], position[kGroupRows];
};

// Scores and dprobs [keys][kTile] of tile i become probabilities and dscores at column i * kTile of [keys][kGroupRows], and in pairs
// of keys [keys/2][kTile][2].
inline void softmax_backward(const BackwardRows& g, int64_t i, const float* scores, const float* dprobs,
                             int64_t first_key, int64_t keys, bool masked, float scale, bf16* probs, bf16* dscores,
                             bf16* pairs) {
  const int64_t row = i * kTile;
  probs += row, dscores += row;
  for (int64_t j = 0; j < keys; ++j) {
    F32x16 prob[2], ds[2];
#pragma GCC unroll 2
    for (int64_t v = 0; v < 2; ++v) {
      const int64_t r = row + 16 * v, at = j * kTile + 16 * v;
      prob[v] = exp(sub(mul(load(scores + at), splat(scale)), load(g.lse + r)));
      if (masked) prob[v] = zero_below(sub(load(g.position + r), splat(float(first_key + j))), 0.0f, prob[v]);
      ds[v] = mul(mul(prob[v], sub(load(dprobs + at), load(g.delta + r))), splat(scale));
    }
    store(probs + j * kGroupRows, prob[0], prob[1]);
    store(dscores + j * kGroupRows, ds[0], ds[1]);
  }
  for (int64_t j = 0; j < keys; j += 2)
    for (int64_t r = 0; r < kTile; r += 16)
      store_zipped(pairs + j * kTile + 2 * r, dscores + j * kGroupRows + r, dscores + (j + 1) * kGroupRows + r);
}

// One kv head of one sequence: its rows of dq, dk, dv, those of keys that are others' from row `foreign` on. A group of tiles against a group of blocks of keys at a time, so that
// sums over rows, and over keys, stay in registers for the length of a group.
void attention_backward(const AttentionArgs& p, const AttentionSequence& s, int64_t h, int64_t foreign, bf16* scratch) {
  alignas(64) float scores[kPageKeys * kTile], dprobs[kPageKeys * kTile];
  alignas(64) bf16 probs[kPageKeys * kGroupRows], dscores[kPageKeys * kGroupRows];
  alignas(64) bf16 dscores_pairs[kGroup][kGroupKeys * kTile];
  BackwardRows g;
  const int64_t D = p.D, G = p.H / p.K, T = s.context, KD = p.K * D;
  const int64_t start = T - s.length, own = s.begin - start;  // token t >= start is row own + t
  const int64_t keys = (T + kGroupKeys - 1) / kGroupKeys * kGroupKeys;
  const BackwardScratch u = cut_scratch(scratch, keys, D);
  unpack_head(p, s, h, u, keys);
  const auto at_key = [&](float* of, int64_t key) { return of + ((key < start ? foreign : own) + key) * KD + h * D; };
  for (int64_t t = 0; t < T; ++t)
    for (int64_t d = 0; d < D; ++d) at_key(p.dk, t)[d] = at_key(p.dv, t)[d] = 0;

  const int64_t tokens = kTile / G;  // of a tile
  for (int64_t t0 = start; t0 < T; t0 += kGroup * tokens) {
    const int64_t end = t0 + kGroup * tokens < T ? t0 + kGroup * tokens : T, tiles = (end - t0 + tokens - 1) / tokens;
    const auto end_of = [&](int64_t i) { return t0 + (i + 1) * tokens < T ? t0 + (i + 1) * tokens : T; };
    for (int64_t i = 0; i < tiles; ++i) {
      const int64_t first = t0 + i * tokens, rows = (end_of(i) - first) * G;
      const bf16 *q_rows[kTile], *dout_rows[kTile];
      for (int64_t r = 0; r < kTile; ++r) {
        const int64_t row = i * kTile + r;
        g.lse[row] = g.delta[row] = 0;
        g.position[row] = -1;
        if (r >= rows) continue;
        const int64_t n = own + first + r / G, head = h * G + r % G, at = (n * p.H + head) * D;
        q_rows[r] = p.q + at, dout_rows[r] = p.dout + at;
        g.lse[row] = p.lse[head * p.N + n];
        g.delta[row] = dot(p.dout + at, p.out + at, D);
        g.position[row] = float(first + r / G);
      }
      spread_rows(q_rows, rows, D, u.q_lanes + i * kTile * D, u.q_pairs + i * kTile * D);
      spread_rows(dout_rows, rows, D, u.dout_lanes + i * kTile * D, u.dout_pairs + i * kTile * D);
    }
    for (int64_t key0 = 0; key0 < end; key0 += kGroupKeys) {
      for (int64_t key = key0; key < end && key < key0 + kGroupKeys; key += kPageKeys) {
        const int64_t used = T - key < kPageKeys ? T - key : kPageKeys, used_even = (used + 1) / 2 * 2;
        const int64_t seen = key > t0 ? (key - t0) / tokens : 0;  // the first tile that sees a key of this block
        for (int64_t i = seen; i < tiles; ++i) {
          product(used_even, kTile / 16, scores, kTile, u.k + key * D, D, u.q_lanes + i * kTile * D, 2 * kTile, D / 2,
                  false);
          product(used_even, kTile / 16, dprobs, kTile, u.v + key * D, D, u.dout_lanes + i * kTile * D, 2 * kTile,
                  D / 2, false);
          softmax_backward(g, i, scores, dprobs, key, used_even, key + kPageKeys > t0 + i * tokens + 1, p.scale, probs,
                           dscores, dscores_pairs[i] + (key - key0) * kTile);
        }
        const int64_t row = seen * kTile, pairs = (tiles - seen) * kTile / 2;
        product(used, D / 16, at_key(p.dv, key), KD, probs + row, kGroupRows, u.dout_pairs + row * D, 2 * D, pairs,
                true);
        product(used, D / 16, at_key(p.dk, key), KD, dscores + row, kGroupRows, u.q_pairs + row * D, 2 * D, pairs,
                true);
      }
      for (int64_t i = 0; i < tiles; ++i) {
        int64_t last = (end_of(i) + kPageKeys - 1) / kPageKeys * kPageKeys;  // of the blocks that tile i sees
        if (last > (T + 1) / 2 * 2) last = (T + 1) / 2 * 2;
        if (last > key0 + kGroupKeys) last = key0 + kGroupKeys;
        if (last <= key0) continue;
        product(D, kTile / 16, u.dq + i * kTile * D, kTile, u.kt + key0 * D, kGroupKeys, dscores_pairs[i], 2 * kTile,
                (last - key0) / 2, key0 > 0);
      }
    }
    for (int64_t i = 0; i < tiles; ++i)
      for (int64_t t = t0 + i * tokens, r = 0; t < end_of(i); ++t)
        for (int64_t head = h * G; head < (h + 1) * G; ++head, ++r) {
          float* out = p.dq + ((own + t) * p.H + head) * D;
          for (int64_t d = 0; d < D; ++d) out[d] = u.dq[(i * D + d) * kTile + r];
        }
  }
}
