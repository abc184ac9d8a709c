#include "ops/matmul.h"

#include <algorithm>

#include "ops/cpu/table.h"

namespace limr {
namespace {

constexpr int64_t kRowsMultiple = 12;                // rows of a register tile
constexpr int64_t kTaskMacs = int64_t(1) << 18;      // below about 5 us of work a fork costs more than it brings
constexpr int64_t kBlockBytes = int64_t(384) << 10;  // of activations a task keeps in the second-level cache

// Tasks are pieces of panels times pieces of rows, sized so that each thread gets several; results do not depend on the cut.
void run(const Context& ctx, const GemmArgs& g) {
  if (g.M == 0 || g.N == 0) return;
  const int64_t panels = (g.N + kPanelRows - 1) / kPanelRows;
  const int64_t fit = std::max<int64_t>(kRowsMultiple, kBlockBytes / (4 * g.pairs) / kRowsMultiple * kRowsMultiple);
  const int64_t row_pieces = (g.M + fit - 1) / fit;
  const int64_t rows = round_up((g.M + row_pieces - 1) / row_pieces, kRowsMultiple);
  const int64_t pieces = (g.M + rows - 1) / rows;
  const int64_t wanted =
      std::clamp<int64_t>(rows * g.N * g.pairs * 2 / kTaskMacs, 1, std::max<int64_t>(1, 8 * ctx.pool->size() / pieces));
  const int64_t width = (panels + wanted - 1) / wanted, groups = (panels + width - 1) / width;
  ctx.pool->parallel_for(pieces * groups, 1, [&](int64_t begin, int64_t end) {
    for (int64_t t = begin; t < end; ++t) {
      const int64_t m = t / groups * rows, p = t % groups * width;
      ctx.cpu->gemm(g, p, std::min(panels, p + width), m, std::min(g.M, m + rows));
    }
  });
}

void check_even(const char* op, const PackedWeight& w) {
  LIMR_CHECK(w.cols % 2 == 0, kShape, cat(op, ": the weight has ", w.cols, " columns, expected an even number"));
}

void check_input(const char* op, const View& inp, const PackedWeight& w) {
  check_even(op, w);
  check_view(op, "inp", inp, DType::kBf16, inp.rows, w.cols);
}

}  // namespace

void linear_forward(const Context& ctx, const LinearForward& o) {
  check_input("linear_forward", o.inp, o.weight);
  const int64_t M = o.inp.rows, N = o.weight.rows;
  check_view("linear_forward", "out", o.out, o.out.dtype == DType::kBf16 ? DType::kBf16 : DType::kF32, M, N);
  if (o.bias) check_view("linear_forward", "bias", o.bias, DType::kBf16, 1, N);
  if (o.residual) check_view("linear_forward", "residual", o.residual, DType::kBf16, M, N);
  run(ctx, {.mode = o.out.dtype == DType::kBf16 ? GemmArgs::kBf16 : GemmArgs::kF32,
            .a = o.inp.as<bf16>(),
            .lda = o.inp.stride,
            .b = o.weight.panels,
            .M = M,
            .N = N,
            .pairs = o.weight.cols / 2,
            .c = o.out.data,
            .ldc = o.out.stride,
            .bias = o.bias.as<bf16>(),
            .residual = o.residual.as<bf16>(),
            .ldr = o.residual.stride});
}

void swiglu_forward(const Context& ctx, const SwigluForward& o) {
  check_input("swiglu_forward", o.inp, o.weight);
  LIMR_CHECK(o.weight.rows % kPanelRows == 0, kShape,
             cat("swiglu_forward: the weight has ", o.weight.rows, " rows, expected a multiple of 32"));
  const int64_t M = o.inp.rows, N = o.weight.rows;
  check_view("swiglu_forward", "out", o.out, DType::kBf16, M, N / 2);
  if (o.gate_up) check_view("swiglu_forward", "gate_up", o.gate_up, DType::kBf16, M, N);
  run(ctx, {.mode = GemmArgs::kSwiglu,
            .a = o.inp.as<bf16>(),
            .lda = o.inp.stride,
            .b = o.weight.panels,
            .M = M,
            .N = N,
            .pairs = o.weight.cols / 2,
            .c = o.out.data,
            .ldc = o.out.stride,
            .gate_up = o.gate_up.as<bf16>(),
            .ldg = o.gate_up.stride});
}

size_t linear_backward_input_scratch_bytes(int64_t rows, int64_t cols) {
  return size_t(round_up(cols, kPanelRows) * round_up(rows, 2)) * sizeof(bf16);
}

namespace {
bf16* transposed(const Context& ctx, const PackedWeight& w, void* scratch) {
  auto* panels = static_cast<bf16*>(scratch);
  const int64_t stride = kPanelRows * round_up(w.rows, 2);
  ctx.pool->parallel_for((w.cols + kPanelRows - 1) / kPanelRows, 1, [&](int64_t begin, int64_t end) {
    for (int64_t q = begin; q < end; ++q) ctx.cpu->transpose_panel(panels + q * stride, w.panels, w.rows, w.cols, q);
  });
  return panels;
}
}  // namespace

void linear_backward_input(const Context& ctx, const LinearBackwardInput& o) {
  const int64_t M = o.dout.rows, N = o.weight.rows, K = o.weight.cols;
  check_even("linear_backward_input", o.weight);
  check_view("linear_backward_input", "dout", o.dout, DType::kBf16, M, round_up(N, 2));
  check_view("linear_backward_input", "dinp", o.dinp, o.accumulate ? DType::kF32 : o.dinp.dtype, M, K);
  if (M == 0) return;
  run(ctx, {.mode = o.accumulate                   ? GemmArgs::kF32Add
                    : o.dinp.dtype == DType::kBf16 ? GemmArgs::kBf16
                                                   : GemmArgs::kF32,
            .a = o.dout.as<bf16>(),
            .lda = o.dout.stride,
            .b = o.transposed ? static_cast<bf16*>(o.scratch) : transposed(ctx, o.weight, o.scratch),
            .M = M,
            .N = K,
            .pairs = round_up(N, 2) / 2,
            .c = o.dinp.data,
            .ldc = o.dinp.stride});
}

void swiglu_backward(const Context& ctx, const SwigluBackward& o) {
  const int64_t M = o.dout.rows, N = o.down.rows, F = o.down.cols;
  LIMR_CHECK(N % 2 == 0 && F % (kPanelRows / 2) == 0, kShape,
             cat("swiglu_backward: down is [", N, ", ", F, "], expected a multiple of 2 by a multiple of 16"));
  check_view("swiglu_backward", "dout", o.dout, DType::kBf16, M, N);
  check_view("swiglu_backward", "gate_up", o.gate_up, DType::kBf16, M, 2 * F);
  check_view("swiglu_backward", "dgate_up", o.dgate_up, DType::kBf16, M, 2 * F);
  if (M == 0) return;
  LIMR_CHECK(o.gate_up.stride == o.dgate_up.stride || o.gate_up.data != o.dgate_up.data, kShape,
             "swiglu_backward: aliased views have different strides");
  run(ctx, {.mode = GemmArgs::kSwigluBackward,
            .a = o.dout.as<bf16>(),
            .lda = o.dout.stride,
            .b = transposed(ctx, o.down, o.scratch),
            .M = M,
            .N = F,
            .pairs = round_up(N, 2) / 2,
            .c = o.dgate_up.data,
            .ldc = o.dgate_up.stride,
            .gate_up = o.gate_up.as<bf16>(),
            .ldg = o.gate_up.stride});
}

size_t linear_backward_weight_scratch_bytes(int64_t tokens, int64_t rows, int64_t cols) {
  const int64_t even = round_up(tokens, 2);
  return size_t(even * (round_up(rows, kPanelRows) + round_up(cols, kPanelRows))) * sizeof(bf16);
}

void linear_backward_weight(const Context& ctx, const LinearBackwardWeight& o) {
  const int64_t M = o.dout.rows, N = o.dout.cols, K = o.inp.cols;
  check_view("linear_backward_weight", "dout", o.dout, DType::kBf16, M, N);
  check_view("linear_backward_weight", "inp", o.inp, DType::kBf16, M, K);
  LIMR_CHECK(K % 2 == 0, kShape, cat("linear_backward_weight: inp has ", K, " columns, expected an even number"));
  if (o.dbias) check_view("linear_backward_weight", "dbias", o.dbias, DType::kF32, 1, N);
  if (M == 0) return;
  const int64_t even = round_up(M, 2), panels = (N + kPanelRows - 1) / kPanelRows;
  auto* dout_panels = static_cast<bf16*>(o.scratch);
  bf16* inp_columns = dout_panels + even * panels * kPanelRows;
  ctx.pool->parallel_for(panels, 1, [&](int64_t begin, int64_t end) {
    for (int64_t p = begin; p < end; ++p) {
      ctx.cpu->pack_rows(dout_panels + p * even * kPanelRows, o.dout.as<bf16>(), o.dout.stride, M, N, p);
      if (o.dbias)
        ctx.cpu->column_sums(o.dbias.as<float>(), o.dout.as<bf16>(), o.dout.stride, M, p * kPanelRows,
                             std::min(N, (p + 1) * kPanelRows));
    }
  });
  ctx.pool->parallel_for(K, 32, [&](int64_t begin, int64_t end) {
    ctx.cpu->transpose(inp_columns, even, o.inp.as<bf16>(), o.inp.stride, M, begin, end);
  });
  run(ctx, {.mode = GemmArgs::kPanelAdd,
            .a = inp_columns,
            .lda = even,
            .b = dout_panels,
            .M = K,
            .N = N,
            .pairs = even / 2,
            .c = o.dweight});
}

}  // namespace limr
