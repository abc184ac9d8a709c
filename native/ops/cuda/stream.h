// native/ops/cuda/stream.h - what is behind the core's opaque Stream, how a CUDA error becomes a limr::Error, and the launchers of all
// ops. A launcher queues kernels and returns; it throws limr::Error, which table.cu turns into a Failure.
#pragma once
#include <cuda_runtime.h>

#include <memory>

#include "ops/cuda/linear.h"
#include "ops/cuda/table.h"

namespace limr::cuda {

struct Stream {
  int device = 0;
  cudaStream_t queue = nullptr;
  bool sync = false;                   // wait after every launch, unless capturing
  bool capturing = false;              // what is queued is recorded
  std::unique_ptr<LinearPlans> plans;  // absent on a stream for copies
};

// Throws kMemory where the device has no memory left, kInternal otherwise. `what` is the expression that failed.
void check_cuda(cudaError_t error, const char* what, const char* file, int line);
#define LIMR_CUDA_CHECK(...) ::limr::cuda::check_cuda((__VA_ARGS__), #__VA_ARGS__, __FILE__, __LINE__)

// After every launch.
void launched(const Stream& s, const char* kernel);

void rmsnorm_forward(Stream&, const RmsNormForward&);
void rmsnorm_backward(Stream&, const RmsNormBackward&);
void linear_forward(Stream&, const LinearForward&);
void linear_backward_input(Stream&, const LinearBackwardInput&);
void linear_backward_weight(Stream&, const LinearBackwardWeight&);
void swiglu_forward(Stream&, const SwigluForward&);
void swiglu_backward(Stream&, const SwigluBackward&);
void rope_forward(Stream&, const RopeForward&);
void rope_backward(Stream&, const RopeBackward&);
void attention_forward(Stream&, const AttentionForward&);
void attention_backward(Stream&, const AttentionBackward&);
void embedding_forward(Stream&, const EmbeddingForward&);
void embedding_backward(Stream&, const EmbeddingBackward&);
void gather_rows(Stream&, const GatherRows&);
void scatter_rows(Stream&, const ScatterRows&);
void logprob_forward(Stream&, const LogprobForward&);
void logprob_backward(Stream&, const LogprobBackward&);
void loss_forward(Stream&, const LossForward&);
void value_forward(Stream&, const ValueForward&);
void value_backward(Stream&, const ValueBackward&);
void sample_forward(Stream&, const SampleForward&);
void adamw(Stream&, const AdamW&);
void sum_squares(Stream&, const SumSquares&);

// out[c] += the sum of partial[r,c] over rows in order. partial has row stride `stride`.
void add_rows(Stream& s, float* out, const float* partial, int64_t stride, int64_t rows, int64_t cols);

}  // namespace limr::cuda
