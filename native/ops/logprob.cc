#include "ops/logprob.h"

#include <algorithm>
#include <cmath>

#include "ops/cpu/table.h"
#include "ops/cuda_device.h"

namespace limr {
namespace {
int64_t rows_a_task(int64_t V) { return std::max<int64_t>(1, 16384 / V); }
}  // namespace

RowStats row_stats(const Context& ctx, const float* logits, int64_t V, float temperature) {
  float max, sum, sum_z;
  const LogprobArgs args{
      .logits = logits, .V = V, .temperature = temperature, .max = &max, .sum = &sum, .sum_z = &sum_z};
  ctx.cpu->logprob_forward(args, 0, 1);
  const float log_sum = float(std::log(double(sum)));
  return {max, log_sum, log_sum - sum_z / sum, 0};
}

void logprob_forward(const Context& ctx, const LogprobForward& o) {
  const int64_t R = o.logits.rows, V = o.vocab_size;
  LIMR_CHECK(o.logits.dtype == DType::kF32 && o.logits.cols >= V, kShape,
             cat("logprob_forward: logits is ", o.logits.shape(), ", expected F32[", R, ", ", V, "]"));
  LIMR_CHECK(o.temperature > 0, kUsage,
             cat("logprob_forward: temperature is ", o.temperature, ", expected more than 0"));
  if (ctx.cuda) return ctx.cuda->call(&cuda::Table::logprob_forward, o);
  ctx.pool->parallel_for(R, rows_a_task(V), [&](int64_t begin, int64_t end) {
    for (int64_t r = begin; r < end; ++r) {
      const float* row = o.logits.as<float>() + r * o.logits.stride;
      RowStats& s = o.stats[r];
      s = row_stats(ctx, row, V, o.temperature);
      if (o.targets) s.logprob = logprob_of(row[o.targets[r]], o.temperature, s);
    }
  });
}

void logprob_backward(const Context& ctx, const LogprobBackward& o) {
  const int64_t R = o.logits.rows, V = o.vocab_size;
  LIMR_CHECK(o.logits.dtype == DType::kF32 && o.logits.cols >= V, kShape,
             cat("logprob_backward: logits is ", o.logits.shape(), ", expected F32[", R, ", ", V, "]"));
  check_view("logprob_backward", "dlogits", o.dlogits, DType::kBf16, R, (V + 1) / 2 * 2);
  if (ctx.cuda) return ctx.cuda->call(&cuda::Table::logprob_backward, o);
  const LogprobArgs args{.logits = o.logits.as<float>(),
                         .ldl = o.logits.stride,
                         .V = V,
                         .temperature = o.temperature,
                         .dlogits = o.dlogits.as<bf16>(),
                         .ldd = o.dlogits.stride,
                         .stats = o.stats,
                         .targets = o.targets,
                         .dlogprob = o.dlogprob,
                         .dentropy = o.dentropy};
  ctx.pool->parallel_for(R, rows_a_task(V), [&](int64_t b, int64_t e) { ctx.cpu->logprob_backward(args, b, e); });
}

}  // namespace limr
