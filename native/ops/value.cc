#include "ops/value.h"

#include "ops/cpu/table.h"
#include "ops/cuda_device.h"

namespace limr {
namespace {
void check(const char* op, const View& inp, const View& weight) {
  check_view(op, "inp", inp, DType::kBf16, inp.rows, inp.cols);
  check_view(op, "weight", weight, DType::kBf16, 1, inp.cols);
  LIMR_CHECK(inp.stride == inp.cols, kShape, cat(op, ": inp has gaps between its rows"));
}
}  // namespace

void value_forward(const Context& ctx, const ValueForward& o) {
  check("value_forward", o.inp, o.weight);
  if (ctx.cuda) return ctx.cuda->call(&cuda::Table::value_forward, o);
  const ValueArgs args{
      .values = o.values, .inp = o.inp.as<bf16>(), .weight = o.weight.as<bf16>(), .N = o.inp.rows, .C = o.inp.cols};
  ctx.pool->parallel_for(args.N, 64, [&](int64_t b, int64_t e) { ctx.cpu->value_forward(args, b, e); });
}

size_t value_backward_scratch_bytes(Target target, int64_t rows, int64_t cols) {
  return target.device == DeviceKind::kCuda ? size_t((rows + 63) / 64 * cols) * sizeof(float) : 0;
}

void value_backward(const Context& ctx, const ValueBackward& o) {
  check("value_backward", o.inp, o.weight);
  check_view("value_backward", "dinp", o.dinp, DType::kF32, o.inp.rows, o.inp.cols);
  check_dense("value_backward", "dinp", o.dinp);
  check_view("value_backward", "dweight", o.dweight, DType::kF32, 1, o.inp.cols);
  if (ctx.cuda) return ctx.cuda->call(&cuda::Table::value_backward, o);
  const ValueArgs args{.inp = o.inp.as<bf16>(),
                       .weight = o.weight.as<bf16>(),
                       .dinp = o.dinp.as<float>(),
                       .dweight = o.dweight.as<float>(),
                       .dvalues = o.dvalues,
                       .N = o.inp.rows,
                       .C = o.inp.cols};
  ctx.pool->parallel_for(args.C, 64, [&](int64_t b, int64_t e) { ctx.cpu->value_backward(args, b, e); });
}

}  // namespace limr
