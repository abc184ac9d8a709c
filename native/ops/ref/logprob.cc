#include "ops/ref/logprob.h"

#include <algorithm>
#include <cmath>

#include "ops/ref/dense.h"

namespace limr::ref {
namespace {

struct Distribution {
  std::vector<double> log_p;  // [V]
  double max, log_sum, entropy;
};

Distribution distribution(const float* logits, int64_t V, double temperature) {
  Distribution d{std::vector<double>(V), 0, 0, 0};
  for (int64_t k = 0; k < V; ++k) d.log_p[k] = logits[k] / temperature;
  d.max = *std::max_element(d.log_p.begin(), d.log_p.end());
  double sum = 0;
  for (double z : d.log_p) sum += std::exp(z - d.max);
  d.log_sum = std::log(sum);
  for (double& z : d.log_p) {
    z = (z - d.max) - d.log_sum;
    d.entropy -= std::exp(z) * z;
  }
  return d;
}

}  // namespace

void logprob_forward(const LogprobForward& op) {
  for (int64_t r = 0; r < op.logits.rows; ++r) {
    const Distribution d = distribution(op.logits.as<float>() + r * op.logits.stride, op.vocab_size, op.temperature);
    op.stats[r].max = float(d.max);
    op.stats[r].log_sum = float(d.log_sum);
    op.stats[r].entropy = float(d.entropy);
    if (op.targets) op.stats[r].logprob = float(d.log_p[op.targets[r]]);
  }
}

void logprob_backward(const LogprobBackward& op) {
  const int64_t R = op.logits.rows, V = op.vocab_size;
  std::vector<double> dlogits(R * op.dlogits.cols);
  for (int64_t r = 0; r < R; ++r) {
    const Distribution d = distribution(op.logits.as<float>() + r * op.logits.stride, V, op.temperature);
    const double dentropy = op.dentropy ? op.dentropy[r] : 0;
    for (int64_t k = 0; k < V; ++k) {
      const double p = std::exp(d.log_p[k]), hit = k == op.targets[r] ? 1 : 0;
      dlogits[r * op.dlogits.cols + k] =
          (op.dlogprob[r] * (hit - p) - dentropy * p * (d.log_p[k] + d.entropy)) / op.temperature;
    }
  }
  store(op.dlogits, dlogits);
}

}  // namespace limr::ref
