#include "ops/ref/matmul.h"

#include <cmath>

#include "ops/ref/dense.h"

namespace limr::ref {
namespace {

using Dense = std::vector<double>;

double sigmoid(double x) { return 1 / (1 + std::exp(-x)); }

// [M, N]: sum_k inp[m,k] weight[n,k]
Dense times_transposed(const View& inp, const PackedWeight& weight) {
  const int64_t M = inp.rows, N = weight.rows, K = weight.cols;
  const Dense x = dense(inp), w = dense(weight);
  Dense out(M * N);
  for (int64_t m = 0; m < M; ++m)
    for (int64_t n = 0; n < N; ++n)
      for (int64_t k = 0; k < K; ++k) out[m * N + n] += x[m * K + k] * w[n * K + k];
  return out;
}

// [M, K]: sum_n dout[m,n] weight[n,k]; dout may have a column more than the weight has rows
Dense times(const View& dout, const PackedWeight& weight) {
  const int64_t M = dout.rows, N = weight.rows, K = weight.cols;
  const Dense d = dense(dout), w = dense(weight);
  Dense out(M * K);
  for (int64_t m = 0; m < M; ++m)
    for (int64_t n = 0; n < N; ++n)
      for (int64_t k = 0; k < K; ++k) out[m * K + k] += d[m * dout.cols + n] * w[n * K + k];
  return out;
}

}  // namespace

void linear_forward(const LinearForward& op) {
  const int64_t M = op.inp.rows, N = op.weight.rows;
  const Dense bias = dense(op.bias), residual = dense(op.residual);
  Dense out = times_transposed(op.inp, op.weight);
  for (int64_t m = 0; m < M; ++m)
    for (int64_t n = 0; n < N; ++n) {
      if (op.bias) out[m * N + n] += bias[n];
      if (op.residual) out[m * N + n] += residual[m * N + n];
    }
  store(op.out, out);
}

void swiglu_forward(const SwigluForward& op) {
  const int64_t M = op.inp.rows, F = op.weight.rows / 2;
  const Dense gate_up = times_transposed(op.inp, op.weight);
  Dense out(M * F);
  for (int64_t m = 0; m < M; ++m)
    for (int64_t f = 0; f < F; ++f) {
      const double g = gate_up[m * 2 * F + gate_index(f)], u = gate_up[m * 2 * F + up_index(f)];
      out[m * F + f] = g * sigmoid(g) * u;
    }
  store(op.gate_up, gate_up);
  store(op.out, out);
}

void linear_backward_input(const LinearBackwardInput& op) {
  const Dense dinp = times(op.dout, op.weight);
  if (op.accumulate)
    accumulate(op.dinp, dinp);
  else
    store(op.dinp, dinp);
}

void swiglu_backward(const SwigluBackward& op) {
  const int64_t M = op.dout.rows, F = op.down.cols;
  const Dense dh = times(op.dout, op.down), gate_up = dense(op.gate_up);
  Dense dgate_up(M * 2 * F);
  for (int64_t m = 0; m < M; ++m)
    for (int64_t f = 0; f < F; ++f) {
      const int64_t gate = m * 2 * F + gate_index(f), up = m * 2 * F + up_index(f);
      const double g = gate_up[gate], u = gate_up[up], s = sigmoid(g), d = dh[m * F + f];
      dgate_up[gate] = d * u * s * (1 + g * (1 - s));
      dgate_up[up] = d * g * s;
    }
  store(op.dgate_up, dgate_up);
}

void linear_backward_weight(const LinearBackwardWeight& op) {
  const int64_t M = op.dout.rows, N = op.dout.cols, K = op.inp.cols;
  const Dense d = dense(op.dout), x = dense(op.inp);
  Dense dweight(N * K), dbias(N);
  for (int64_t m = 0; m < M; ++m)
    for (int64_t n = 0; n < N; ++n) {
      dbias[n] += d[m * N + n];
      for (int64_t k = 0; k < K; ++k) dweight[n * K + k] += d[m * N + n] * x[m * K + k];
    }
  accumulate(op.dweight, N, K, dweight);
  accumulate(op.dbias, dbias);
}

}  // namespace limr::ref
