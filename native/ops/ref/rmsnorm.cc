#include "ops/ref/rmsnorm.h"

#include <cmath>

#include "ops/ref/dense.h"

namespace limr::ref {

void rmsnorm_forward(const RmsNormForward& op) {
  const int64_t N = op.inp.rows, C = op.inp.cols;
  const std::vector<double> inp = dense(op.inp), weight = dense(op.weight);
  std::vector<double> out(N * C), rstd(N);
  for (int64_t n = 0; n < N; ++n) {
    double squares = 0;
    for (int64_t c = 0; c < C; ++c) squares += inp[n * C + c] * inp[n * C + c];
    rstd[n] = 1 / std::sqrt(squares / double(C) + op.eps);
    for (int64_t c = 0; c < C; ++c) out[n * C + c] = inp[n * C + c] * rstd[n] * weight[c];
  }
  store(op.rstd, rstd);
  store(op.out, out);
}

void rmsnorm_backward(const RmsNormBackward& op) {
  const int64_t N = op.inp.rows, C = op.inp.cols;
  const std::vector<double> dout = dense(op.dout), dresidual = dense(op.dresidual), inp = dense(op.inp),
                            weight = dense(op.weight), rstd = dense(op.rstd);
  std::vector<double> dinp(N * C), dweight(C);
  for (int64_t n = 0; n < N; ++n) {
    double along = 0;
    for (int64_t c = 0; c < C; ++c) along += dout[n * C + c] * weight[c] * inp[n * C + c];
    for (int64_t c = 0; c < C; ++c) {
      const int64_t i = n * C + c;
      dinp[i] = rstd[n] * dout[i] * weight[c] - inp[i] * std::pow(rstd[n], 3) * along / double(C);
      if (op.dresidual) dinp[i] += dresidual[i];
      dweight[c] += dout[i] * inp[i] * rstd[n];
    }
  }
  store(op.dinp, dinp);
  accumulate(op.dweight, dweight);
}

}  // namespace limr::ref
