#include "ops/embedding.h"

#include <cstring>

#include "ops/cpu/table.h"
#include "ops/cuda_device.h"

namespace limr {

void embedding_forward(const Context& ctx, const EmbeddingForward& o) {
  const int64_t N = o.out.rows, C = o.weight.cols;
  check_view("embedding_forward", "out", o.out, DType::kBf16, N, C);
  LIMR_CHECK(o.out.stride == C, kShape, "embedding_forward: out has gaps between its rows");
  if (ctx.cuda) return ctx.cuda->call(&cuda::Table::embedding_forward, o);
  const EmbeddingArgs args{.out = o.out.as<bf16>(), .panels = o.weight.panels, .tokens = o.tokens, .N = N, .C = C};
  ctx.pool->parallel_for(N, 16, [&](int64_t b, int64_t e) { ctx.cpu->embedding_forward(args, b, e); });
}

void embedding_backward(const Context& ctx, const EmbeddingBackward& o) {
  const int64_t N = o.dout.rows, C = o.dout.cols;
  check_view("embedding_backward", "dout", o.dout, DType::kBf16, N, C);
  LIMR_CHECK(o.dout.stride == C, kShape, "embedding_backward: dout has gaps between its rows");
  if (ctx.cuda) return ctx.cuda->call(&cuda::Table::embedding_backward, o);
  const EmbeddingArgs args{.dweight = o.dweight, .dout = o.dout.as<bf16>(), .tokens = o.tokens, .N = N, .C = C};
  ctx.pool->parallel_for(C, 64, [&](int64_t b, int64_t e) { ctx.cpu->embedding_backward(args, b, e); });
}

void gather_rows(const Context& ctx, const GatherRows& o) {
  check_view("gather_rows", "out", o.out, o.inp.dtype, o.out.rows, o.inp.cols);
  if (ctx.cuda) return ctx.cuda->call(&cuda::Table::gather_rows, o);
  const size_t bytes = size_t(o.inp.cols * dtype_bytes(o.inp.dtype));
  ctx.pool->parallel_for(o.out.rows, 64, [&](int64_t begin, int64_t end) {
    for (int64_t r = begin; r < end; ++r)
      std::memcpy(o.out.slice(r, r + 1).data, o.inp.slice(o.index[r], o.index[r] + 1).data, bytes);
  });
}

void scatter_rows(const Context& ctx, const ScatterRows& o) {
  check_view("scatter_rows", "out", o.out, o.inp.dtype, o.out.rows, o.inp.cols);
  if (ctx.cuda) return ctx.cuda->call(&cuda::Table::scatter_rows, o);
  const size_t bytes = size_t(o.inp.cols * dtype_bytes(o.inp.dtype));
  ctx.pool->parallel_for(o.inp.rows, 64, [&](int64_t begin, int64_t end) {
    for (int64_t r = begin; r < end; ++r)
      std::memcpy(o.out.slice(o.index[r], o.index[r] + 1).data, o.inp.slice(r, r + 1).data, bytes);
  });
}

}  // namespace limr
