#include "ops/rmsnorm.h"

#include "ops/cpu/table.h"
#include "ops/cuda_device.h"

namespace limr {

void rmsnorm_forward(const Context& ctx, const RmsNormForward& o) {
  const int64_t N = o.inp.rows, C = o.inp.cols;
  check_view("rmsnorm_forward", "inp", o.inp, DType::kBf16, N, C);
  check_view("rmsnorm_forward", "out", o.out, DType::kBf16, N, C);
  check_view("rmsnorm_forward", "weight", o.weight, DType::kBf16, 1, C);
  if (o.rstd) check_view("rmsnorm_forward", "rstd", o.rstd, DType::kF32, 1, N);
  check_dense("rmsnorm_forward", "inp", o.inp);
  if (ctx.cuda) return ctx.cuda->call(&cuda::Table::rmsnorm_forward, o);
  const RmsNormArgs args{.out = o.out.as<bf16>(),
                         .rstd = o.rstd.as<float>(),
                         .inp = o.inp.as<bf16>(),
                         .weight = o.weight.as<bf16>(),
                         .eps = o.eps,
                         .ldo = o.out.stride,
                         .N = N,
                         .C = C};
  ctx.pool->parallel_for(N, 32, [&](int64_t b, int64_t e) { ctx.cpu->rmsnorm_forward(args, b, e); });
}

size_t rmsnorm_backward_scratch_bytes(int64_t rows, int64_t cols) {
  return size_t((rows + kNormRowGroup - 1) / kNormRowGroup * cols) * sizeof(float);
}

void rmsnorm_backward(const Context& ctx, const RmsNormBackward& o) {
  const int64_t N = o.inp.rows, C = o.inp.cols;
  check_view("rmsnorm_backward", "inp", o.inp, DType::kBf16, N, C);
  check_view("rmsnorm_backward", "dinp", o.dinp, DType::kBf16, N, C);
  check_view("rmsnorm_backward", "dout", o.dout, DType::kF32, N, C);
  check_view("rmsnorm_backward", "weight", o.weight, DType::kBf16, 1, C);
  check_view("rmsnorm_backward", "dweight", o.dweight, DType::kF32, 1, C);
  check_view("rmsnorm_backward", "rstd", o.rstd, DType::kF32, 1, N);
  if (o.dresidual) {
    check_view("rmsnorm_backward", "dresidual", o.dresidual, DType::kBf16, N, C);
    check_dense("rmsnorm_backward", "dresidual", o.dresidual);
  }
  check_dense("rmsnorm_backward", "inp", o.inp);
  check_dense("rmsnorm_backward", "dinp", o.dinp);
  check_dense("rmsnorm_backward", "dout", o.dout);
  if (ctx.cuda) return ctx.cuda->call(&cuda::Table::rmsnorm_backward, o);
  auto* partial = static_cast<float*>(o.scratch);
  const RmsNormArgs args{.rstd = o.rstd.as<float>(),
                         .inp = o.inp.as<bf16>(),
                         .weight = o.weight.as<bf16>(),
                         .N = N,
                         .C = C,
                         .dinp = o.dinp.as<bf16>(),
                         .partial = partial,
                         .dout = o.dout.as<float>(),
                         .dresidual = o.dresidual.as<bf16>()};
  const int64_t groups = (N + kNormRowGroup - 1) / kNormRowGroup;
  ctx.pool->parallel_for(groups, 1, [&](int64_t b, int64_t e) { ctx.cpu->rmsnorm_backward(args, b, e); });
  ctx.pool->parallel_for(
      C, 64, [&](int64_t b, int64_t e) { ctx.cpu->add_rows(o.dweight.as<float>(), partial, C, groups, b, e); });
}

}  // namespace limr
