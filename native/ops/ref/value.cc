#include "ops/ref/value.h"

#include "ops/ref/dense.h"

namespace limr::ref {

void value_forward(const ValueForward& op) {
  const int64_t N = op.inp.rows, C = op.inp.cols;
  const std::vector<double> inp = dense(op.inp), weight = dense(op.weight);
  for (int64_t n = 0; n < N; ++n) {
    double sum = 0;
    for (int64_t c = 0; c < C; ++c) sum += inp[n * C + c] * weight[c];
    op.values[n] = float(sum);
  }
}

void value_backward(const ValueBackward& op) {
  const int64_t N = op.inp.rows, C = op.inp.cols;
  const std::vector<double> inp = dense(op.inp), weight = dense(op.weight);
  std::vector<double> dinp(N * C), dweight(C);
  for (int64_t n = 0; n < N; ++n)
    for (int64_t c = 0; c < C; ++c) {
      dinp[n * C + c] = op.dvalues[n] * weight[c];
      dweight[c] += op.dvalues[n] * inp[n * C + c];
    }
  store(op.dinp, dinp);
  accumulate(op.dweight, dweight);
}

}  // namespace limr::ref
