#include "ops/ref/adamw.h"

#include <algorithm>
#include <cmath>
#include <vector>

namespace limr::ref {
namespace {

// A moment in f64, out of its storage and back into it, a block at a time.
class MomentBlock {
 public:
  MomentBlock(const AdamW& op, const Moment& moment, bool with_sign, int64_t begin, int64_t end)
      : format_(op.format),
        moment_(moment),
        codebook_(op.codebooks ? op.codebooks + (with_sign ? 0 : 256) : nullptr),
        with_sign_(with_sign),
        begin_(begin),
        values_(size_t(end - begin)) {
    for (size_t i = 0; i < values_.size(); ++i) values_[i] = get(begin_ + int64_t(i));
  }
  double& operator[](int64_t i) { return values_[size_t(i - begin_)]; }

  void store() const {
    double scale = 0;
    for (const double x : values_) scale = std::max(scale, std::abs(double(float(x))));
    if (format_ == MomentFormat::kCode8) moment_.scale[begin_ / kMomentBlock] = float(scale);
    for (size_t i = 0; i < values_.size(); ++i) {
      const int64_t at = begin_ + int64_t(i);
      const auto x = float(values_[i]);
      if (format_ == MomentFormat::kF32) static_cast<float*>(moment_.data)[at] = x;
      if (format_ == MomentFormat::kBf16) static_cast<bf16*>(moment_.data)[at] = f32_to_bf16(x);
      if (format_ == MomentFormat::kCode8) static_cast<uint8_t*>(moment_.data)[at] = nearest(x, scale);
    }
  }

 private:
  double get(int64_t i) const {
    if (format_ == MomentFormat::kF32) return static_cast<const float*>(moment_.data)[i];
    if (format_ == MomentFormat::kBf16) return bf16_to_f32(static_cast<const bf16*>(moment_.data)[i]);
    return double(codebook_[static_cast<const uint8_t*>(moment_.data)[i]]) * moment_.scale[i / kMomentBlock];
  }
  uint8_t nearest(float x, double scale) const {
    const double y = scale > 0 ? x / scale : 0;
    int best = !with_sign_ && x != 0 ? 1 : 0;
    for (int c = best + 1; c < 256; ++c)
      if (std::abs(codebook_[c] - y) < std::abs(codebook_[best] - y)) best = c;
    return uint8_t(best);
  }

  MomentFormat format_;
  const Moment& moment_;
  const float* codebook_;
  bool with_sign_;
  int64_t begin_;
  std::vector<double> values_;
};

}  // namespace

void adamw(const AdamW& op) {
  const double lr = op.lr, b1 = op.beta1, b2 = op.beta2, t = double(op.step);
  for (int64_t begin = 0; begin < op.n; begin += kMomentBlock) {
    const int64_t end = std::min(op.n, begin + kMomentBlock);
    MomentBlock m(op, op.exp_avg, true, begin, end), v(op, op.exp_avg_sq, false, begin, end);
    for (int64_t i = begin; i < end; ++i) {
      const double g = double(op.grad[i]) * op.grad_scale;
      m[i] = b1 * m[i] + (1 - b1) * g;
      v[i] = b2 * v[i] + (1 - b2) * g * g;
      const double denominator = std::sqrt(v[i]) / std::sqrt(1 - std::pow(b2, t)) + op.eps;
      const double w = join_master(op.weight[i], op.remainder[i]);
      split_master(float(w * (1 - lr * op.weight_decay) - lr / (1 - std::pow(b1, t)) * m[i] / denominator),
                   &op.weight[i], &op.remainder[i]);
    }
    m.store();
    v.store();
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
