#include "ops/matmul.h"

#include <algorithm>

#include "ops/cpu/table.h"
#include "ops/cuda_device.h"

namespace limr {
namespace {

constexpr int64_t kTaskMacs = int64_t(1) << 18;  // below about 5 us of work a fork costs more than it brings
constexpr int64_t kTasksPerThread = 8;

int64_t panels_of(int64_t n) { return (n + kPanelRows - 1) / kPanelRows; }

// Calls body(panel_begin, panel_end, tile_begin, tile_end) for pieces of the panels, and of the tiles of rows where the panels are
// too few, so that each thread gets several, and all the same number; results do not depend on the cut.
template <typename F>
void cut(const Context& ctx, int64_t panels, int64_t tiles, int64_t macs, F&& body) {
  if (panels == 0 || tiles == 0) return;
  const int64_t threads = ctx.pool->size(), tasks = std::clamp<int64_t>(macs / kTaskMacs, 1, kTasksPerThread * threads);
  const int64_t wanted = tasks == 1 ? 1 : round_up(tasks, threads);  // three tasks take two threads as long as four
  const auto groups_of = [&](int64_t width) { return (panels + width - 1) / width; };
  const auto turns = [&](int64_t width) { return (groups_of(width) + threads - 1) / threads * width; };  // of a thread
  int64_t width = groups_of(wanted);
  for (int64_t w = width - 1; w > 0 && 2 * w >= width; --w)
    if (turns(w) < turns(width)) width = w;
  const int64_t groups = groups_of(width), height = (tiles * groups + wanted - 1) / wanted;
  const int64_t pieces = (tiles + height - 1) / height;
  ctx.pool->parallel_for(pieces * groups, 1, [&](int64_t begin, int64_t end) {
    for (int64_t t = begin; t < end; ++t) {
      const int64_t p = t / pieces * width, i = t % pieces;
      body(p, std::min(panels, p + width), tiles * i / pieces, tiles * (i + 1) / pieces);
    }
  });
}

void run(const Context& ctx, const GemmArgs& g) {
  const int64_t rows = ctx.cpu->tile_rows;
  cut(ctx, panels_of(g.N), (g.M + rows - 1) / rows, g.M * g.N * g.pairs * 2,
      [&](int64_t p0, int64_t p1, int64_t i0, int64_t i1) {
        ctx.cpu->gemm(g, p0, p1, i0 * rows, std::min(g.M, i1 * rows));
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
  if (ctx.cuda) return ctx.cuda->call(&cuda::Table::linear_forward, o);
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
  if (ctx.cuda) return ctx.cuda->call(&cuda::Table::swiglu_forward, o);
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

void linear_backward_input(const Context& ctx, const LinearBackwardInput& o) {
  const int64_t M = o.dout.rows, N = o.weight.rows, K = o.weight.cols;
  check_even("linear_backward_input", o.weight);
  check_view("linear_backward_input", "dout", o.dout, DType::kBf16, M, round_up(N, 2));
  check_view("linear_backward_input", "dinp", o.dinp, o.accumulate ? DType::kF32 : o.dinp.dtype, M, K);
  if (M == 0) return;
  if (ctx.cuda) return ctx.cuda->call(&cuda::Table::linear_backward_input, o);
  run(ctx, {.mode = o.accumulate                   ? GemmArgs::kF32Add
                    : o.dinp.dtype == DType::kBf16 ? GemmArgs::kBf16
                                                   : GemmArgs::kF32,
            .a = o.dout.as<bf16>(),
            .lda = o.dout.stride,
            .b = o.weight.panels,
            .turn = true,
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
  if (ctx.cuda) return ctx.cuda->call(&cuda::Table::swiglu_backward, o);
  run(ctx, {.mode = GemmArgs::kSwigluBackward,
            .a = o.dout.as<bf16>(),
            .lda = o.dout.stride,
            .b = o.down.panels,
            .turn = true,
            .M = M,
            .N = F,
            .pairs = round_up(N, 2) / 2,
            .c = o.dgate_up.data,
            .ldc = o.dgate_up.stride,
            .gate_up = o.gate_up.as<bf16>(),
            .ldg = o.gate_up.stride});
}

size_t swiglu_forward_scratch_bytes(Target target, int64_t tokens, int64_t intermediate_size) {
  return target.device == DeviceKind::kCuda ? size_t(tokens * 2 * intermediate_size) * sizeof(bf16) : 0;
}

size_t swiglu_backward_scratch_bytes(Target target, int64_t tokens, int64_t intermediate_size) {
  return target.device == DeviceKind::kCuda ? size_t(tokens * intermediate_size) * sizeof(bf16) : 0;
}

size_t linear_backward_weight_scratch_bytes(Target target, int64_t tokens, int64_t rows, int64_t cols) {
  if (target.device == DeviceKind::kCuda) return size_t(kGemmWorkspace + (tokens + 63) / 64 * rows * 4);
  constexpr int64_t kMostGradientRows = 24;  // of any instruction set
  return size_t(round_up(tokens, 2) * (cols + kMostGradientRows)) * sizeof(bf16);
}

void linear_backward_weight(const Context& ctx, const LinearBackwardWeight& o) {
  const int64_t M = o.dout.rows, N = o.dout.cols, K = o.inp.cols;
  check_view("linear_backward_weight", "dout", o.dout, DType::kBf16, M, N);
  check_view("linear_backward_weight", "inp", o.inp, DType::kBf16, M, K);
  LIMR_CHECK(K % 2 == 0, kShape, cat("linear_backward_weight: inp has ", K, " columns, expected an even number"));
  if (o.dbias) check_view("linear_backward_weight", "dbias", o.dbias, DType::kF32, 1, N);
  if (M == 0) return;
  if (ctx.cuda) return ctx.cuda->call(&cuda::Table::linear_backward_weight, o);
  const int64_t even = round_up(M, 2), panels = panels_of(N), rows = ctx.cpu->gradient_rows,
                tiles = (K + rows - 1) / rows;
  auto* inp_tiles = static_cast<bf16*>(o.scratch);
  if (o.dbias)
    ctx.pool->parallel_for(panels, 1, [&](int64_t begin, int64_t end) {
      ctx.cpu->column_sums(o.dbias.as<float>(), o.dout.as<bf16>(), o.dout.stride, M, begin * kPanelRows,
                           std::min(N, end * kPanelRows));
    });
  ctx.pool->parallel_for(tiles, 4, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i)
      ctx.cpu->zip_tile(inp_tiles + i * rows * even, o.inp.as<bf16>(), o.inp.stride, M, K, i);
  });
  const GradientArgs g{
      .dweight = o.dweight, .dout = o.dout.as<bf16>(), .ldd = o.dout.stride, .inp = inp_tiles, .M = M, .N = N, .K = K};
  cut(ctx, panels, tiles, M * N * K,
      [&](int64_t p0, int64_t p1, int64_t i0, int64_t i1) { ctx.cpu->gemm_gradient(g, p0, p1, i0, i1); });
}

}  // namespace limr
