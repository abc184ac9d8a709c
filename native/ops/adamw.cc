#include "ops/adamw.h"

#include <algorithm>
#include <cmath>

#include "ops/cpu/table.h"
#include "ops/cuda_device.h"

namespace limr {

// As bitsandbytes' create_dynamic_map: 7 decades, the lower the fewer codes, each the middle of its cell; 0 and 1 beside them.
std::array<float, 256> dynamic_codebook(bool with_sign) {
  std::array<float, 256> codes{};
  size_t n = 0;
  for (int decade = 0; decade < 7; ++decade) {
    const int cells = with_sign ? 1 << decade : 2 << decade;
    for (int i = 0; i < cells; ++i) {
      const double middle = 0.1 + 0.9 * (i + 0.5) / cells, x = middle * std::pow(10.0, decade - 6);
      codes[n++] = float(x);
      if (with_sign) codes[n++] = float(-x);
    }
  }
  codes[n++] = 0;
  codes[n++] = 1;
  LIMR_ASSERT(n == codes.size());
  std::sort(codes.begin(), codes.end());
  return codes;
}

void adamw(const Context& ctx, const AdamW& o) {
  LIMR_CHECK(o.step >= 1, kUsage, cat("adamw: step is ", o.step, ", expected 1 or more"));
  if (ctx.cuda) return ctx.cuda->call(&cuda::Table::adamw, o);
  LIMR_CHECK(o.format == MomentFormat::kF32, kUnsupported, "adamw: the CPU keeps its moments in f32");
  const double t = double(o.step);
  const double correction1 = 1 - std::pow(o.beta1, t), correction2 = 1 - std::pow(o.beta2, t);
  const AdamWArgs args{.weight = o.weight,
                       .remainder = o.remainder,
                       .m = static_cast<float*>(o.exp_avg.data),
                       .v = static_cast<float*>(o.exp_avg_sq.data),
                       .grad = o.grad,
                       .grad_scale = o.grad_scale,
                       .beta1 = float(o.beta1),
                       .rest1 = float(1 - o.beta1),
                       .beta2 = float(o.beta2),
                       .rest2 = float(1 - o.beta2),
                       .step_size = float(o.lr / correction1),
                       .sqrt_correction = float(std::sqrt(correction2)),
                       .eps = float(o.eps),
                       .keep = float(1 - o.lr * o.weight_decay)};
  ctx.pool->parallel_for(o.n, kSumBlock, [&](int64_t b, int64_t e) { ctx.cpu->adamw(args, b, e); });
}

double sum_squares(const Context& ctx, const SumSquares& o) {
  const int64_t blocks = (o.n + kSumBlock - 1) / kSumBlock;
  if (ctx.cuda) {
    double total = 0;
    ctx.cuda->call(&cuda::Table::sum_squares, o);
    ctx.cuda->copy_out(&total, o.partial + blocks, sizeof(total));
    return total;
  }
  ctx.pool->parallel_for(blocks, 1, [&](int64_t begin, int64_t end) {
    for (int64_t b = begin; b < end; ++b)
      o.partial[b] = ctx.cpu->sum_squares(o.data + b * kSumBlock, std::min(kSumBlock, o.n - b * kSumBlock));
  });
  double total = 0;
  for (int64_t b = 0; b < blocks; ++b) total += o.partial[b];
  return total;
}

}  // namespace limr
