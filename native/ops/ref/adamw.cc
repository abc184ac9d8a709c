#include "ops/ref/adamw.h"

#include <algorithm>
#include <cmath>

namespace limr::ref {

void adamw(const AdamW& op) {
  const double lr = op.lr, b1 = op.beta1, b2 = op.beta2, t = double(op.step);
  for (int64_t i = 0; i < op.n; ++i) {
    const double g = double(op.grad[i]) * *op.grad_scale;
    const double m = b1 * op.exp_avg[i] + (1 - b1) * g, v = b2 * op.exp_avg_sq[i] + (1 - b2) * g * g;
    const double denominator = std::sqrt(v) / std::sqrt(1 - std::pow(b2, t)) + op.eps;
    const double w = join_master(op.weight[i], op.remainder[i]);
    op.exp_avg[i] = float(m);
    op.exp_avg_sq[i] = float(v);
    split_master(float(w * (1 - lr * op.weight_decay) - lr / (1 - std::pow(b1, t)) * m / denominator), &op.weight[i],
                 &op.remainder[i]);
  }
}

double sum_squares(const SumSquares& op) {
  double total = 0;
  for (int64_t begin = 0; begin < op.n; begin += kSumBlock) {
    double block = 0;
    for (int64_t i = begin; i < std::min(begin + kSumBlock, op.n); ++i) block += double(op.data[i]) * op.data[i];
    total += op.partial[begin / kSumBlock] = block;
  }
  return total;
}

}  // namespace limr::ref
