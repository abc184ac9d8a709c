#include "ops/adamw.h"

#include <algorithm>
#include <cmath>

#include "ops/cpu/table.h"

namespace limr {

void adamw(const Context& ctx, const AdamW& o) {
  LIMR_CHECK(o.step >= 1, kUsage, cat("adamw: step is ", o.step, ", expected 1 or more"));
  const double t = double(o.step);
  const double correction1 = 1 - std::pow(o.beta1, t), correction2 = 1 - std::pow(o.beta2, t);
  const AdamWArgs args{.weight = o.weight,
                       .remainder = o.remainder,
                       .m = o.exp_avg,
                       .v = o.exp_avg_sq,
                       .grad = o.grad,
                       .grad_scale = *o.grad_scale,
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
  ctx.pool->parallel_for(blocks, 1, [&](int64_t begin, int64_t end) {
    for (int64_t b = begin; b < end; ++b)
      o.partial[b] = ctx.cpu->sum_squares(o.data + b * kSumBlock, std::min(kSumBlock, o.n - b * kSumBlock));
  });
  double total = 0;
  for (int64_t b = 0; b < blocks; ++b) total += o.partial[b];
  return total;
}

}  // namespace limr
