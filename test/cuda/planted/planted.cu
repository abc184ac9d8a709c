// limr_shim_planted <bug>: kernels with a bug in each, for test/cuda/shim.test.cc. What a bug is found by depends on the build: its
// message, a wrong result, ThreadSanitizer or AddressSanitizer. Prints "right" or "wrong" where the process gets that far.
#include <cstdio>
#include <cstdlib>
#include <string_view>
#include <vector>

#include "ops/cuda/ptx.cuh"

using namespace limr::cuda;

namespace {

constexpr int kThreads = 128;  // so that `out` fills whole units of 256 bytes, and ends where memory does

// out[t] = t + 1's number, through shared memory. Without its barrier it reads what may not be there yet.
template <bool kBarrier>
__global__ void neighbour(float* out) {
  __shared__ float numbers[kThreads];
  numbers[threadIdx.x] = float(threadIdx.x);
  if (kBarrier) __syncthreads();
  out[threadIdx.x] = numbers[(threadIdx.x + 1) % kThreads];
}

// Two rounds through one buffer: without the barrier between them a fast warp overwrites what a slow one still reads.
template <bool kBarrier>
__global__ void two_rounds(float* out) {
  __shared__ float numbers[kThreads];
  float sum = 0;
  for (int round = 0; round < 2; ++round) {
    numbers[threadIdx.x] = float(threadIdx.x + round);
    __syncthreads();
    sum += numbers[(threadIdx.x + 40) % kThreads];
    if (kBarrier) __syncthreads();
  }
  out[threadIdx.x] = sum - float((threadIdx.x + 40) % kThreads) - float((threadIdx.x + 40) % kThreads + 1) +
                     float((threadIdx.x + 1) % kThreads);
}

// Within a warp: a shuffle orders no memory, __syncwarp does.
template <bool kBarrier>
__global__ void warp_exchange(float* out) {
  __shared__ float numbers[kThreads];
  numbers[threadIdx.x] = float(threadIdx.x);
  if (kBarrier)
    __syncwarp();
  else
    (void)__shfl_xor_sync(~0u, 0, 1);
  const int base = int(threadIdx.x) / 32 * 32, other = base + (int(threadIdx.x) + 1) % 32;
  out[threadIdx.x] = numbers[other] - float(other) + float((threadIdx.x + 1) % kThreads);
}

template <int kPending>
__global__ void async_neighbour(float* out, const float* in) {
  __shared__ __align__(16) float numbers[kThreads * 4];
  cp_async_16(&numbers[threadIdx.x * 4], in + threadIdx.x * 4);
  cp_async_commit();
  cp_async_wait<kPending>();
  __syncthreads();
  out[threadIdx.x] = numbers[(threadIdx.x + 1) % kThreads * 4];
}

__global__ void missing_lane(float* out) {
  float x = 1;
  if (threadIdx.x % 32 != 5) x += __shfl_xor_sync(~0u, x, 1);
  out[threadIdx.x] = x;
}
__global__ void lane_that_ended(float* out) {
  if (threadIdx.x == 40) return;
  out[threadIdx.x] = __shfl_xor_sync(~0u, 1.0f, 1);
}
__global__ void divergent_barrier(float* out) {
  if (threadIdx.x < 32) {
    __syncthreads();
  } else {
    __syncthreads();
  }
  out[threadIdx.x] = 1;
}
__global__ void barrier_of_some(float* out) {
  if (threadIdx.x < 64) __syncthreads();
  out[threadIdx.x] = 1;
}
__global__ void foreign_mask(float* out) { out[threadIdx.x] = __shfl_xor_sync(0x0000ffffu, 1.0f, 1); }
__global__ void past_the_end(float* out) { out[threadIdx.x + 1] = float((threadIdx.x + 2) % kThreads); }
__global__ void past_shared(float* out) {
  LIMR_DYNAMIC_SHARED(float, numbers);
  numbers[threadIdx.x + 1] = 1;
  out[threadIdx.x] = float((threadIdx.x + 1) % kThreads);
}
__global__ void never_written(float* out) {
  __shared__ float numbers[kThreads];
  if (threadIdx.x != 7) numbers[threadIdx.x] = 0;
  __syncthreads();
  out[threadIdx.x] = numbers[threadIdx.x] + float((threadIdx.x + 1) % kThreads);
}

}  // namespace

int main(int argc, char** argv) {
  const std::string_view bug = argc > 1 ? argv[1] : "";
  float *out = nullptr, *in = nullptr;
  cudaMalloc(&out, kThreads * sizeof(float));
  cudaMalloc(&in, kThreads * 4 * sizeof(float));
  std::vector<float> numbers(kThreads * 4);
  for (int i = 0; i < kThreads * 4; ++i) numbers[size_t(i)] = float(i / 4);
  cudaMemcpyAsync(in, numbers.data(), numbers.size() * sizeof(float), cudaMemcpyHostToDevice, nullptr);
  const auto run = [&](std::string_view name, auto kernel, int shared = 0) {
    if (bug == name) LIMR_LAUNCH(kernel, 1, kThreads, shared, nullptr)(out);
  };
  run("no-barrier", neighbour<false>);
  run("no-second-barrier", two_rounds<false>);
  run("no-syncwarp", warp_exchange<false>);
  run("none", neighbour<true>);
  run("none-two-rounds", two_rounds<true>);
  run("none-syncwarp", warp_exchange<true>);
  run("missing-lane", missing_lane);
  run("lane-that-ended", lane_that_ended);
  run("divergent-barrier", divergent_barrier);
  run("barrier-of-some", barrier_of_some);
  run("foreign-mask", foreign_mask);
  run("past-the-end", past_the_end);
  run("past-shared", past_shared, kThreads * int(sizeof(float)));
  run("never-written", never_written);
  if (bug == "no-async-wait") LIMR_LAUNCH(async_neighbour<1>, 1, kThreads, 0, nullptr)(out, in);
  if (bug == "none-async") LIMR_LAUNCH(async_neighbour<0>, 1, kThreads, 0, nullptr)(out, in);
  if (bug == "no-synchronize") {
    float* pinned = nullptr;
    cudaMallocHost(&pinned, kThreads * sizeof(float));
    LIMR_LAUNCH(neighbour<true>, 1, kThreads, 0, nullptr)(out);
    cudaMemcpyAsync(pinned, out, kThreads * sizeof(float), cudaMemcpyDeviceToHost, nullptr);
    std::puts(pinned[3] == 4 ? "right" : "wrong");
    return 0;
  }
  if (bug == "host-reads-device") return std::printf("%g\n", double(out[0]));
  if (bug == "too-much-shared") {
    LIMR_LAUNCH(neighbour<true>, 1, kThreads, 60 << 10, nullptr)(out);
    return std::puts(cudaGetErrorName(cudaGetLastError())), 0;
  }
  std::vector<float> got(kThreads);
  cudaMemcpyAsync(got.data(), out, kThreads * sizeof(float), cudaMemcpyDeviceToHost, nullptr);
  bool right = true;
  for (int t = 0; t < kThreads; ++t) right = right && got[size_t(t)] == float((t + 1) % kThreads);
  std::puts(right ? "right" : "wrong");
  return 0;
}
