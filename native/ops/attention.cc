#include "ops/attention.h"

#include <algorithm>

#include "ops/cpu/table.h"
#include "ops/cuda_device.h"

namespace limr {
namespace {

void check_heads(const char* op, int64_t H, int64_t K, int64_t D) {
  LIMR_CHECK(K > 0 && H % K == 0 && H / K <= kMaxGroup, kShape,
             cat(op, ": ", H, " query heads over ", K, " kv heads, expected a multiple of at most ", kMaxGroup));
  LIMR_CHECK(D > 0 && D % 16 == 0 && D <= kMaxHeadDim, kShape,
             cat(op, ": head_dim is ", D, ", expected a multiple of 16 up to ", kMaxHeadDim));
}

void check_key_gradients(const AttentionBackward& o, int64_t rows) {
  check_view("attention_backward", "dk", o.dk, DType::kF32, rows, o.kv.num_kv_heads * o.kv.head_dim);
  check_view("attention_backward", "dv", o.dv, DType::kF32, rows, o.kv.num_kv_heads * o.kv.head_dim);
}

}  // namespace

void attention_forward(const Context& ctx, const AttentionForward& o) {
  const int64_t N = o.q.rows, K = o.kv.num_kv_heads, D = o.kv.head_dim, H = D ? o.q.cols / D : 0;
  check_heads("attention_forward", H, K, D);
  check_view("attention_forward", "q", o.q, DType::kBf16, N, H * D);
  check_view("attention_forward", "out", o.out, DType::kBf16, N, H * D);
  check_dense("attention_forward", "q", o.q);
  check_dense("attention_forward", "out", o.out);
  if (o.lse) {
    check_view("attention_forward", "lse", o.lse, DType::kF32, H, N);
    check_dense("attention_forward", "lse", o.lse);
  }
  if (ctx.cuda) return ctx.cuda->call(&cuda::Table::attention_forward, o);
  const AttentionArgs args{.out = o.out.as<bf16>(),
                           .lse = o.lse.as<float>(),
                           .q = o.q.as<bf16>(),
                           .kv = o.kv.data,
                           .page_stride = o.kv.page_stride,
                           .scale = o.scale,
                           .N = N,
                           .H = H,
                           .K = K,
                           .D = D};
  // One task a sequence and kv head; long sequences are cut further, into stripes of tiles.
  const int64_t tokens = std::max<int64_t>(1, kAttentionTile / (H / K));
  int64_t longest = 0;
  for (int64_t s = 0; s < o.num_sequences; ++s) longest = std::max<int64_t>(longest, o.sequences[s].length);
  const int64_t tiles = (longest + tokens - 1) / tokens;
  const int64_t stripes =
      std::min<int64_t>(tiles, std::max<int64_t>(1, 8 * ctx.pool->size() / std::max<int64_t>(1, o.num_sequences * K)));
  ctx.pool->parallel_for(o.num_sequences * K * stripes, 1, [&](int64_t begin, int64_t end) {
    for (int64_t t = begin; t < end; ++t) {
      const AttentionSequence& s = o.sequences[t / stripes / K];
      for (int64_t t0 = t % stripes * tokens; t0 < s.length; t0 += stripes * tokens)
        ctx.cpu->attention_forward(args, s, t / stripes % K, t0, std::min<int64_t>(s.length, t0 + tokens));
    }
  });
}

size_t attention_backward_scratch_bytes(Target target, int64_t tokens, int64_t num_heads, int64_t max_length,
                                        int64_t head_dim) {
  if (target.device == DeviceKind::kCuda) return size_t(num_heads * tokens) * sizeof(float);
  constexpr int64_t kKeys = kAttentionGroup * kPageKeys, kRows = kAttentionGroup * kAttentionTile;
  const int64_t keys = (max_length + kKeys - 1) / kKeys * kKeys;
  return size_t(target.threads) * size_t((3 * keys + 6 * kRows) * head_dim) * sizeof(bf16);
}

void attention_backward(const Context& ctx, const AttentionBackward& o) {
  const int64_t N = o.q.rows, K = o.kv.num_kv_heads, D = o.kv.head_dim, H = D ? o.q.cols / D : 0;
  check_heads("attention_backward", H, K, D);
  check_view("attention_backward", "q", o.q, DType::kBf16, N, H * D);
  check_view("attention_backward", "out", o.out, DType::kBf16, N, H * D);
  check_view("attention_backward", "dout", o.dout, DType::kBf16, N, H * D);
  check_view("attention_backward", "lse", o.lse, DType::kF32, H, N);
  check_view("attention_backward", "dq", o.dq, DType::kF32, N, H * D);
  check_dense("attention_backward", "q", o.q);
  check_dense("attention_backward", "out", o.out);
  check_dense("attention_backward", "dout", o.dout);
  check_dense("attention_backward", "lse", o.lse);
  check_dense("attention_backward", "dq", o.dq);
  check_dense("attention_backward", "dk", o.dk);
  check_dense("attention_backward", "dv", o.dv);
  if (ctx.cuda) {
    check_key_gradients(o, N);
    return ctx.cuda->call(&cuda::Table::attention_backward, o);
  }
  std::vector<int64_t> foreign;  // rows of dk and dv for the keys of a sequence that are others'
  int64_t longest = 0, rows = N;
  for (int64_t s = 0; s < o.num_sequences; ++s) {
    const int64_t before = o.sequences[s].context - o.sequences[s].length;
    LIMR_CHECK(before == 0 || (o.page_rows && before % kPageKeys == 0), kShape,
               cat("attention_backward: sequence ", s, " is a part, length ", o.sequences[s].length, " of ",
                   o.sequences[s].context, ", but not by whole pages of known rows"));
    longest = std::max<int64_t>(longest, o.sequences[s].context);
    foreign.push_back(rows);
    rows += before;
  }
  check_key_gradients(o, rows);
  const AttentionArgs args{.out = o.out.as<bf16>(),
                           .lse = o.lse.as<float>(),
                           .q = o.q.as<bf16>(),
                           .kv = o.kv.data,
                           .page_stride = o.kv.page_stride,
                           .scale = o.scale,
                           .N = N,
                           .H = H,
                           .K = K,
                           .D = D,
                           .dq = o.dq.as<float>(),
                           .dk = o.dk.as<float>(),
                           .dv = o.dv.as<float>(),
                           .dout = o.dout.as<bf16>()};
  const size_t bytes = attention_backward_scratch_bytes({}, N, H, longest, D);
  ctx.pool->parallel_for(o.num_sequences * K, 1, [&](int64_t begin, int64_t end) {
    auto* scratch = reinterpret_cast<bf16*>(static_cast<char*>(o.scratch) + size_t(ThreadPool::worker_index()) * bytes);
    for (int64_t t = begin; t < end; ++t)
      ctx.cpu->attention_backward(args, o.sequences[t / K], t % K, foreign[size_t(t / K)], scratch);
  });
  if (rows == N) return;
  ctx.pool->parallel_for(2 * K, 1, [&](int64_t begin, int64_t end) {
    for (int64_t t = begin; t < end; ++t) {
      float* d = (t < K ? args.dk : args.dv) + t % K * D;
      for (int64_t s = 0; s < o.num_sequences; ++s)
        for (int64_t key = 0; key < o.sequences[s].context - o.sequences[s].length; ++key) {
          const int64_t row = o.page_rows[o.sequences[s].pages[key / kPageKeys]] + key % kPageKeys;
          for (int64_t i = 0; i < D; ++i) d[row * K * D + i] += d[(foreign[size_t(s)] + key) * K * D + i];
        }
    }
  });
}

}  // namespace limr
