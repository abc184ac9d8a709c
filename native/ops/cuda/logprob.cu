// See ops/logprob.h.
#include "ops/cuda/row_stats.cuh"

namespace limr::cuda {
namespace {

constexpr int kThreads = 256;

__global__ void __launch_bounds__(kStatsThreads)
    logprob_forward_kernel(RowStats* stats, const float* logits, int64_t ldl, const int32_t* targets, int64_t V,
                           float temperature) {
  const float* row = logits + int64_t(blockIdx.x) * ldl;
  RowStats s = row_stats(row, V, temperature);
  if (threadIdx.x != 0) return;
  if (targets) s.logprob = row_logprob(row[targets[blockIdx.x]], temperature, s);
  stats[blockIdx.x] = s;
}

struct BackwardArgs {
  LogprobArgs a;
  int64_t padded;  // V, even
  bool aligned;
};

// Block (x, y): kThreads * 8 columns of y of row x.
__global__ void __launch_bounds__(kThreads) logprob_backward_kernel(const __grid_constant__ BackwardArgs args) {
  const LogprobArgs& a = args.a;
  const int64_t r = blockIdx.x, v = (int64_t(blockIdx.y) * kThreads + threadIdx.x) * kVector;
  if (v >= args.padded) return;
  const RowStats s = a.stats[r];
  const float g = a.dlogprob[r], ge = a.dentropy ? a.dentropy[r] : 0.0f;
  const int64_t target = a.targets[r];
  Float8 x = load8(a.logits + r * a.ldl + v, a.V - v, args.aligned);
#pragma unroll
  for (int i = 0; i < kVector; ++i) {
    const float logp = row_logprob(x.x[i], a.temperature, s), p = expf(logp);
    float d = g * ((v + i == target ? 1.0f : 0.0f) - p);
    if (a.dentropy) d -= ge * p * (logp + s.entropy);
    x.x[i] = v + i < a.V ? d / a.temperature : 0.0f;
  }
  store8(a.dlogits + r * a.ldd + v, x, args.padded - v, args.aligned);
}

}  // namespace

void logprob_forward(Stream& s, const LogprobForward& o) {
  if (o.logits.rows == 0) return;
  LIMR_LAUNCH(logprob_forward_kernel, unsigned(o.logits.rows), stats_threads(o.vocab_size), 0, s.queue)
  (o.stats, o.logits.as<float>(), o.logits.stride, o.targets, o.vocab_size, o.temperature);
  launched(s, "logprob_forward");
}

void logprob_backward(Stream& s, const LogprobBackward& o) {
  if (o.logits.rows == 0) return;
  const BackwardArgs args{
      {.logits = o.logits.as<float>(),
       .ldl = o.logits.stride,
       .V = o.vocab_size,
       .temperature = o.temperature,
       .dlogits = o.dlogits.as<bf16>(),
       .ldd = o.dlogits.stride,
       .stats = o.stats,
       .targets = o.targets,
       .dlogprob = o.dlogprob,
       .dentropy = o.dentropy},
      round_up(o.vocab_size, 2),
      vector_rows(o.logits.as<float>(), o.logits.stride) && vector_rows(o.dlogits.as<bf16>(), o.dlogits.stride)};
  LIMR_LAUNCH(logprob_backward_kernel, dim3(unsigned(o.logits.rows), blocks_for(args.padded, kThreads * kVector)),
              kThreads, 0, s.queue)
  (args);
  launched(s, "logprob_backward");
}

}  // namespace limr::cuda
