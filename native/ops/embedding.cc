#include "ops/embedding.h"

#include <algorithm>
#include <cstring>
#include <numeric>
#include <vector>

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
  const int64_t R = o.inp.rows, C = o.inp.cols;
  std::vector<int32_t> order(static_cast<size_t>(R));  // rows that go to one row beside each other
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(), [&](int32_t a, int32_t b) { return o.index[a] < o.index[b]; });
  const auto target = [&](int64_t i) { return o.index[order[size_t(i)]]; };
  ctx.pool->parallel_for(R, 64, [&](int64_t begin, int64_t end) {
    std::vector<float> sum(static_cast<size_t>(C));
    for (int64_t i = begin; i < end; ++i) {
      if (i > 0 && target(i) == target(i - 1)) continue;  // with the first of them
      const View out = o.out.slice(target(i), target(i) + 1);
      if (i + 1 == R || target(i + 1) != target(i)) {
        std::memcpy(out.data, o.inp.slice(order[size_t(i)], order[size_t(i)] + 1).data,
                    size_t(C * dtype_bytes(out.dtype)));
        continue;
      }
      std::fill(sum.begin(), sum.end(), 0.0f);
      for (int64_t j = i; j < R && target(j) == target(i); ++j) {
        const View inp = o.inp.slice(order[size_t(j)], order[size_t(j)] + 1);
        for (int64_t c = 0; c < C; ++c)
          sum[size_t(c)] += inp.dtype == DType::kF32 ? inp.as<float>()[c] : bf16_to_f32(inp.as<bf16>()[c]);
      }
      for (int64_t c = 0; c < C; ++c)
        if (out.dtype == DType::kF32)
          out.as<float>()[c] = sum[size_t(c)];
        else
          out.as<bf16>()[c] = f32_to_bf16(sum[size_t(c)]);
    }
  });
}

}  // namespace limr
