#include "ops/ref/attention.h"

#include <algorithm>
#include <cmath>

#include "ops/ref/dense.h"
#include "ops/ref/rope.h"

namespace limr::ref {
namespace {

using Dense = std::vector<double>;

int64_t slot_of(const AttentionSequence& s, int64_t j) {
  return int64_t(s.pages[j / kPageKeys]) * kPageKeys + j % kPageKeys;
}

// scale * q . k[j] for j < keys
Dense scores(const double* q, const KvPages& kv, const AttentionSequence& sequence, int64_t kv_head, int64_t keys,
             double scale) {
  Dense s(keys);
  for (int64_t j = 0; j < keys; ++j) {
    for (int64_t d = 0; d < kv.head_dim; ++d) s[j] += q[d] * bf16_to_f32(key_at(kv, slot_of(sequence, j), kv_head, d));
    s[j] *= scale;
  }
  return s;
}

}  // namespace

void attention_forward(const AttentionForward& op) {
  const int64_t N = op.q.rows, D = op.kv.head_dim, H = op.q.cols / D, group = H / op.kv.num_kv_heads;
  const Dense q = dense(op.q);
  Dense out = dense(op.out), lse = dense(op.lse);  // rows of no sequence keep what they hold
  for (int64_t i = 0; i < op.num_sequences; ++i) {
    const AttentionSequence& sequence = op.sequences[i];
    for (int64_t t = 0; t < sequence.length; ++t)
      for (int64_t h = 0; h < H; ++h) {
        const int64_t n = sequence.begin + t, keys = sequence.context - sequence.length + t + 1;
        const Dense s = scores(&q[(n * H + h) * D], op.kv, sequence, h / group, keys, op.scale);
        const double max = *std::max_element(s.begin(), s.end());
        double sum = 0;
        for (double x : s) sum += std::exp(x - max);
        for (int64_t d = 0; d < D; ++d) {
          double total = 0;
          for (int64_t j = 0; j < keys; ++j)
            total += std::exp(s[j] - max) / sum * bf16_to_f32(value_at(op.kv, slot_of(sequence, j), h / group, d));
          out[(n * H + h) * D + d] = total;
        }
        if (op.lse) lse[h * N + n] = max + std::log(sum);
      }
  }
  store(op.out, out);
  store(op.lse, lse);
}

void attention_backward(const AttentionBackward& op) {
  const int64_t N = op.q.rows, D = op.kv.head_dim, H = op.q.cols / D, K = op.kv.num_kv_heads, group = H / K;
  const Dense dout = dense(op.dout), out = dense(op.out), q = dense(op.q), lse = dense(op.lse);
  Dense dq(N * H * D), dk(op.dk.rows * K * D), dv(op.dv.rows * K * D);
  for (int64_t i = 0; i < op.num_sequences; ++i) {
    const AttentionSequence& sequence = op.sequences[i];
    const int64_t start = sequence.context - sequence.length;
    const auto row_of = [&](int64_t key) {
      return key < start ? op.page_rows[sequence.pages[key / kPageKeys]] + key % kPageKeys
                         : sequence.begin + key - start;
    };
    for (int64_t t = start; t < sequence.context; ++t)
      for (int64_t h = 0; h < H; ++h) {
        const int64_t n = row_of(t), row = (n * H + h) * D, kv_head = h / group;
        const Dense s = scores(&q[row], op.kv, sequence, kv_head, t + 1, op.scale);
        double delta = 0;
        for (int64_t d = 0; d < D; ++d) delta += dout[row + d] * out[row + d];
        for (int64_t j = 0; j <= t; ++j) {
          const double p = std::exp(s[j] - lse[h * N + n]);
          const int64_t slot = slot_of(sequence, j), kv_row = (row_of(j) * K + kv_head) * D;
          double along = 0;
          for (int64_t d = 0; d < D; ++d) along += dout[row + d] * bf16_to_f32(value_at(op.kv, slot, kv_head, d));
          const double ds = p * (along - delta);
          for (int64_t d = 0; d < D; ++d) {
            dq[row + d] += op.scale * ds * bf16_to_f32(key_at(op.kv, slot, kv_head, d));
            dk[kv_row + d] += op.scale * ds * q[row + d];
            dv[kv_row + d] += p * dout[row + d];
          }
        }
      }
  }
  store(op.dq, dq);
  store(op.dk, dk);
  store(op.dv, dv);
}

}  // namespace limr::ref
