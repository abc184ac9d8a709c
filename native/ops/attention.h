// native/ops/attention.h - causal attention over the paged cache, grouped query heads. One algorithm for prefill, decode and
// training: keys in blocks of 32 from key 0, online softmax (Milakov & Gimelshein 2018, arXiv:1805.02867; Dao 2023,
// arXiv:2307.08691), so a query's output depends on its own context alone.
//   s[j] = scale * q . k[j]     p = softmax(s)     out = sum_j p[j] v[j]     lse = log sum_j exp(s[j])
//   delta = dot(dout, out)     ds[j] = p[j] * (dout . v[j] - delta)
//   dq = scale * sum_j ds[j] k[j]     dk[j] = scale * sum_q ds[j] q     dv[j] = sum_q p[j] dout
// Products take bf16 operands (p and ds are rounded) and accumulate in f32. A device takes keys in blocks of 64, two pages, likewise.
#pragma once
#include "core/context.h"
#include "core/view.h"
#include "ops/rope.h"

namespace limr {

// `length` new tokens at rows [begin, begin + length) of q, the last of `context` tokens in all, whose keys lie in `pages`.
struct AttentionSequence {
  int64_t begin = 0;
  int32_t length = 0, context = 0;
  const int32_t* pages = nullptr;  // [ceil(context / 32)]; on a device the structs lie there too
};

struct AttentionForward {
  View out;  // [N, H*D] bf16
  View lse;  // [H, N] f32; absent when only generating
  View q;    // [N, H*D] bf16
  KvPages kv;
  const AttentionSequence* sequences;
  int64_t num_sequences;
  float scale;
  int64_t longest = 0;  // largest length of a sequence; needed where the host cannot read them
};
void attention_forward(const Context&, const AttentionForward&);

// Of a sequence's keys, the first context - length are other rows', whole pages that several sequences may share: what it adds to their
// gradients is added to those rows in the order of the sequences. A device takes whole sequences only: context == length.
struct AttentionBackward {
  View dq;            // [N, H*D] f32
  View dk, dv;        // [N + sum of context - length, K*D] f32; rows past N are scratch
  View dout, out, q;  // [N, H*D] bf16
  View lse;           // [H, N] f32
  KvPages kv;
  const AttentionSequence* sequences;
  int64_t num_sequences;
  float scale;
  void* scratch;                       // attention_backward_scratch_bytes
  int64_t longest = 0;                 // as above
  const int32_t* page_rows = nullptr;  // of each page, the row of its first key, where a sequence is not whole
};
// On the CPU for contexts of at most max_length tokens; on a device delta [H, tokens] f32.
size_t attention_backward_scratch_bytes(Target, int64_t tokens, int64_t num_heads, int64_t max_length,
                                        int64_t head_dim);
void attention_backward(const Context&, const AttentionBackward&);

struct AttentionArgs {
  bf16* out = nullptr;
  float* lse = nullptr;
  const bf16* q = nullptr;
  const bf16* kv = nullptr;
  int64_t page_stride = 0;
  float scale = 0;
  int64_t N = 0, H = 0, K = 0, D = 0;
  float* dq = nullptr;
  float* dk = nullptr;
  float* dv = nullptr;
  const bf16* dout = nullptr;
};

// Of the CPU's kernels: rows of a tile, at most; tiles, and blocks of keys, that backward takes at a time.
constexpr int64_t kAttentionTile = 32, kAttentionGroup = 4;
constexpr int64_t kMaxHeadDim = 256;
constexpr int64_t kMaxGroup = 32;  // query heads a kv head

}  // namespace limr
