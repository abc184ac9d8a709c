#include "ops/rope.h"

#include "ops/cpu/table.h"
#include "ops/cuda_device.h"

namespace limr {

void rope_forward(const Context& ctx, const RopeForward& o) {
  const int64_t N = o.qkv.rows, D = o.kv.head_dim, K = o.kv.num_kv_heads, H = D ? o.qkv.cols / D - 2 * K : 0;
  LIMR_CHECK(D > 0 && D % 16 == 0 && D <= 256, kShape,
             cat("rope_forward: head_dim is ", D, ", expected a multiple of 16 up to 256"));
  check_view("rope_forward", "qkv", o.qkv, DType::kF32, N, (H + 2 * K) * D);
  check_view("rope_forward", "q", o.q, DType::kBf16, N, H * D);
  check_dense("rope_forward", "qkv", o.qkv);
  check_dense("rope_forward", "q", o.q);
  if (ctx.cuda) return ctx.cuda->call(&cuda::Table::rope_forward, o);
  const RopeArgs args{.q = o.q.as<bf16>(),
                      .kv = o.kv.data,
                      .page_stride = o.kv.page_stride,
                      .qkv = o.qkv.as<float>(),
                      .positions = o.positions,
                      .slots = o.slots,
                      .cos = o.rope.cos,
                      .sin = o.rope.sin,
                      .q_norm = o.norm.q,
                      .k_norm = o.norm.k,
                      .eps = o.norm.eps,
                      .N = N,
                      .H = H,
                      .K = K,
                      .D = D};
  ctx.pool->parallel_for(N, 32, [&](int64_t b, int64_t e) { ctx.cpu->rope_forward(args, b, e); });
}

size_t rope_backward_scratch_bytes(int64_t rows, int64_t head_dim) {
  return size_t((rows + kNormRowGroup - 1) / kNormRowGroup * 2 * head_dim) * sizeof(float);
}

void rope_backward(const Context& ctx, const RopeBackward& o) {
  const int64_t N = o.dqkv.rows, H = o.num_heads, K = o.num_kv_heads, D = o.head_dim;
  check_view("rope_backward", "dqkv", o.dqkv, DType::kBf16, N, (H + 2 * K) * D);
  check_view("rope_backward", "dq", o.dq, DType::kF32, N, H * D);
  check_view("rope_backward", "dk", o.dk, DType::kF32, N, K * D);
  check_view("rope_backward", "dv", o.dv, DType::kF32, N, K * D);
  check_dense("rope_backward", "dqkv", o.dqkv);
  check_dense("rope_backward", "dq", o.dq);
  check_dense("rope_backward", "dk", o.dk);
  check_dense("rope_backward", "dv", o.dv);
  if (o.norm.q) {
    check_view("rope_backward", "qkv", o.qkv, DType::kF32, N, (H + 2 * K) * D);
    check_dense("rope_backward", "qkv", o.qkv);
    check_view("rope_backward", "dq_norm", o.dq_norm, DType::kF32, 1, D);
    check_view("rope_backward", "dk_norm", o.dk_norm, DType::kF32, 1, D);
  }
  if (ctx.cuda) return ctx.cuda->call(&cuda::Table::rope_backward, o);
  auto* partial = static_cast<float*>(o.scratch);
  const RopeArgs args{.qkv = o.qkv.as<float>(),
                      .positions = o.positions,
                      .cos = o.rope.cos,
                      .sin = o.rope.sin,
                      .q_norm = o.norm.q,
                      .k_norm = o.norm.k,
                      .eps = o.norm.eps,
                      .N = N,
                      .H = H,
                      .K = K,
                      .D = D,
                      .dqkv = o.dqkv.as<bf16>(),
                      .dq = o.dq.as<float>(),
                      .dk = o.dk.as<float>(),
                      .dv = o.dv.as<float>(),
                      .partial = partial};
  const int64_t groups = (N + kNormRowGroup - 1) / kNormRowGroup;
  ctx.pool->parallel_for(groups, 1, [&](int64_t b, int64_t e) { ctx.cpu->rope_backward(args, b, e); });
  if (!o.norm.q) return;
  ctx.pool->parallel_for(D, 64, [&](int64_t b, int64_t e) {
    ctx.cpu->add_rows(o.dq_norm.as<float>(), partial, 2 * D, groups, b, e);
    ctx.cpu->add_rows(o.dk_norm.as<float>(), partial + D, 2 * D, groups, b, e);
  });
}

}  // namespace limr
