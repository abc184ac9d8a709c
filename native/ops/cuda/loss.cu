// See ops/loss.h. A thread a row.
#include "ops/cuda/launch.cuh"
#include "ops/token_loss.h"

namespace limr::cuda {
namespace {

constexpr int kThreads = 256;

__global__ void __launch_bounds__(kThreads) loss_kernel(const __grid_constant__ LossForward o) {
  const int64_t r = int64_t(blockIdx.x) * kThreads + threadIdx.x;
  if (r < o.rows) token_loss(o, r);
}

}  // namespace

void loss_forward(Stream& s, const LossForward& o) {
  if (o.rows == 0) return;
  LIMR_LAUNCH(loss_kernel, blocks_for(o.rows, kThreads), kThreads, 0, s.queue)(o);
  launched(s, "loss_forward");
}

}  // namespace limr::cuda
