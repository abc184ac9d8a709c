// native/ops/cpu/attention.simd.h - see ops/attention.h. A tile is a few tokens times the query heads of one kv head.

constexpr int64_t kTile = 32;  // rows of a tile, at most
static_assert(kMaxGroup <= kTile);

inline const bf16* key_block(const AttentionArgs& p, const AttentionSequence& s, int64_t head, int64_t block) {
  return p.kv + s.pages[block] * p.page_stride + head * 2 * kPageKeys * p.D;
}

// Tokens [t0, t1) of sequence s against kv head h.
void attention_forward(const AttentionArgs& p, const AttentionSequence& s, int64_t h, int64_t t0, int64_t t1) {
  alignas(64) bf16 q[kTile * kMaxHeadDim], probs[kTile * kPageKeys];
  alignas(64) float out[kTile * kMaxHeadDim], scores[kTile * kPageKeys];
  alignas(64) float max_score[kTile], total[kTile], factor[kTile];
  const int64_t D = p.D, G = p.H / p.K, rows = (t1 - t0) * G, past = s.context - s.length;
  for (int64_t r = 0; r < rows; ++r) {
    __builtin_memcpy(q + r * D, p.q + ((s.begin + t0 + r / G) * p.H + h * G + r % G) * D, size_t(D) * sizeof(bf16));
    max_score[r] = -__builtin_inff();
    total[r] = 0;
  }
  const int64_t keys = past + t1;  // the last token's
  for (int64_t key = 0; key < keys; key += kPageKeys) {
    const bf16* k = key_block(p, s, h, key / kPageKeys);
    const bf16* v = k + kPageKeys * D;
    product(rows, kPageKeys / 16, scores, kPageKeys, q, D, k, 2 * kPageKeys, D / 2, false);
    for (int64_t r = 0; r < rows; ++r) {
      const int64_t visible = past + t0 + r / G + 1 - key;  // keys of this block that row r sees
      const F32x16 a = keep(mul(load(scores + r * kPageKeys), splat(p.scale)), visible, -__builtin_inff());
      const F32x16 b = keep(mul(load(scores + r * kPageKeys + 16), splat(p.scale)), visible - 16, -__builtin_inff());
      const float top = max_lane(max(a, b)), m = top > max_score[r] ? top : max_score[r];
      const F32x16 pa = exp(sub(a, splat(m))), pb = exp(sub(b, splat(m)));
      store(probs + r * kPageKeys, pa);
      store(probs + r * kPageKeys + 16, pb);
      store(scores + r * kPageKeys, add(pa, pb));
      factor[r] = max_score[r] - m;
      max_score[r] = m;
    }
    for (int64_t r = 0; r < rows; r += 16) store(factor + r, exp(load(factor + r)));
    for (int64_t r = 0; r < rows; ++r) {
      total[r] = total[r] * factor[r] + sum(load(scores + r * kPageKeys));
      if (key > 0 && factor[r] != 1.0f)
        for (int64_t d = 0; d < D; d += 16) store(out + r * D + d, mul(load(out + r * D + d), splat(factor[r])));
    }
    const int64_t used = keys - key < kPageKeys ? keys - key : kPageKeys;
    product(rows, D / 16, out, D, probs, kPageKeys, v, 2 * D, (used + 1) / 2, key > 0);
  }
  for (int64_t r = 0; r < rows; ++r) {
    const int64_t n = s.begin + t0 + r / G, head = h * G + r % G;
    const F32x16 scale = splat(1.0f / total[r]);
    for (int64_t d = 0; d < D; d += 16) store(p.out + (n * p.H + head) * D + d, mul(load(out + r * D + d), scale));
    if (p.lse) p.lse[head * p.N + n] = max_score[r] + float(__builtin_log(double(total[r])));
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
