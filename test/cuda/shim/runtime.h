// test/cuda/shim/runtime.h - the part of the CUDA runtime that native/ops/cuda calls.
//
// Streams are queues, and a queue runs as late as it may: when somebody waits for it. So what is read before its stream was waited
// for is not there yet, and a source in pinned memory that changes before the copy ran is copied as changed. Device memory
// can be touched while queued work runs only: host code that follows a device pointer dies of SIGSEGV there and then. A new
// allocation holds NaN.
//
// Variables: CUDA_SHIM_SCHEDULE=round-robin|greedy|shuffled[:seed]; CUDA_SHIM_THREADS, OS threads for blocks (1);
// CUDA_SHIM_STREAMS=eager runs everything when it is queued; CUDA_SHIM_PROTECT=0 leaves device memory open; CUDA_SHIM_MEMORY, bytes of
// the device (2 GiB); CUDA_SHIM_CAPABILITY=75 is an older one (80); CUDA_SHIM_DEVICES=0 is a machine without a driver.
#pragma once
#include <cstddef>
#include <functional>
#include <tuple>
#include <utility>

#include "block.h"

enum cudaError_t : int {
  cudaSuccess = 0,
  cudaErrorInvalidValue = 1,
  cudaErrorMemoryAllocation = 2,
  cudaErrorInvalidConfiguration = 9,
  cudaErrorInsufficientDriver = 35,
  cudaErrorNoDevice = 100,
  cudaErrorInvalidDevice = 101,
  cudaErrorNotReady = 600,
  cudaErrorStreamCaptureUnsupported = 900,
  cudaErrorStreamCaptureInvalidated = 901
};
enum cudaMemcpyKind {
  cudaMemcpyHostToHost,
  cudaMemcpyHostToDevice,
  cudaMemcpyDeviceToHost,
  cudaMemcpyDeviceToDevice,
  cudaMemcpyDefault
};
enum cudaDeviceAttr {
  cudaDevAttrMultiProcessorCount = 16,
  cudaDevAttrComputeCapabilityMajor = 75,
  cudaDevAttrComputeCapabilityMinor = 76
};
enum cudaFuncAttribute { cudaFuncAttributeMaxDynamicSharedMemorySize = 8 };
enum cudaStreamCaptureMode {
  cudaStreamCaptureModeGlobal,
  cudaStreamCaptureModeThreadLocal,
  cudaStreamCaptureModeRelaxed
};
constexpr unsigned cudaStreamNonBlocking = 1, cudaEventDisableTiming = 2, cudaHostAllocDefault = 0;

struct cudaDeviceProp {
  char name[256];
  size_t totalGlobalMem;
  int major, minor, multiProcessorCount;
};

using cudaStream_t = struct CUstream_st*;
using cudaEvent_t = struct CUevent_st*;
using cudaGraph_t = struct CUgraph_st*;
using cudaGraphExec_t = struct CUgraphExec_st*;

cudaError_t cudaGetDeviceCount(int* count);
cudaError_t cudaSetDevice(int device);
cudaError_t cudaGetDeviceProperties(cudaDeviceProp* properties, int device);
cudaError_t cudaDeviceGetAttribute(int* value, cudaDeviceAttr attribute, int device);
cudaError_t cudaDriverGetVersion(int* version);
cudaError_t cudaRuntimeGetVersion(int* version);
cudaError_t cudaMemGetInfo(size_t* free, size_t* total);
cudaError_t cudaGetLastError();
cudaError_t cudaPeekAtLastError();
const char* cudaGetErrorName(cudaError_t error);
const char* cudaGetErrorString(cudaError_t error);

cudaError_t cudaMalloc(void** data, size_t bytes);
cudaError_t cudaFree(void* data);
cudaError_t cudaHostAlloc(void** data, size_t bytes, unsigned flags);
cudaError_t cudaMallocHost(void** data, size_t bytes);
cudaError_t cudaFreeHost(void* data);

cudaError_t cudaStreamCreateWithFlags(cudaStream_t* stream, unsigned flags);
cudaError_t cudaStreamDestroy(cudaStream_t stream);
cudaError_t cudaStreamSynchronize(cudaStream_t stream);
cudaError_t cudaStreamWaitEvent(cudaStream_t stream, cudaEvent_t event, unsigned flags = 0);
cudaError_t cudaDeviceSynchronize();
cudaError_t cudaMemcpyAsync(void* to, const void* from, size_t bytes, cudaMemcpyKind kind, cudaStream_t stream);
cudaError_t cudaMemcpy2DAsync(void* to, size_t to_pitch, const void* from, size_t from_pitch, size_t width,
                              size_t height, cudaMemcpyKind kind, cudaStream_t stream);
cudaError_t cudaMemsetAsync(void* data, int value, size_t bytes, cudaStream_t stream);

cudaError_t cudaEventCreate(cudaEvent_t* event);
cudaError_t cudaEventCreateWithFlags(cudaEvent_t* event, unsigned flags);
cudaError_t cudaEventDestroy(cudaEvent_t event);
cudaError_t cudaEventRecord(cudaEvent_t event, cudaStream_t stream);
cudaError_t cudaEventSynchronize(cudaEvent_t event);
cudaError_t cudaEventElapsedTime(float* ms, cudaEvent_t begin, cudaEvent_t end);

cudaError_t cudaStreamBeginCapture(cudaStream_t stream, cudaStreamCaptureMode mode);
cudaError_t cudaStreamEndCapture(cudaStream_t stream, cudaGraph_t* graph);
cudaError_t cudaGraphInstantiate(cudaGraphExec_t* exec, cudaGraph_t graph, unsigned long long flags = 0);
cudaError_t cudaGraphLaunch(cudaGraphExec_t exec, cudaStream_t stream);
cudaError_t cudaGraphDestroy(cudaGraph_t graph);
cudaError_t cudaGraphExecDestroy(cudaGraphExec_t exec);

namespace limr::shim {

// Queues work, or records it where the stream is being captured.
cudaError_t submit(cudaStream_t stream, std::function<void()> work);
// Checks the launch as a device would: sizes of grid and block, and dynamic shared memory above 48 KB that nobody asked for.
cudaError_t launch(Grid grid, const void* function, cudaStream_t stream);
cudaError_t allow_dynamic_shared(const void* function, int bytes);

template <typename... P>
struct Launcher {
  void (*kernel)(P...);
  const char* name;
  Dim blocks, threads;
  size_t shared_bytes;
  cudaStream_t stream;

  void operator()(P... arguments) const {
    launch({.kernel = name,
            .blocks = blocks,
            .threads = threads,
            .shared_bytes = shared_bytes,
            .body = [f = kernel, a = std::tuple<P...>(arguments...)] { std::apply(f, a); }},
           reinterpret_cast<const void*>(kernel), stream);
  }
};
template <typename... P>
Launcher<P...> launcher(void (*kernel)(P...), const char* name, Dim blocks, Dim threads, size_t shared_bytes,
                        cudaStream_t stream) {
  return {kernel, name, blocks, threads, shared_bytes, stream};
}

}  // namespace limr::shim

template <typename T>
cudaError_t cudaMalloc(T** data, size_t bytes) {
  return cudaMalloc(reinterpret_cast<void**>(data), bytes);
}
template <typename T>
cudaError_t cudaMallocHost(T** data, size_t bytes) {
  return cudaMallocHost(reinterpret_cast<void**>(data), bytes);
}
template <typename F>
cudaError_t cudaFuncSetAttribute(F* function, cudaFuncAttribute, int value) {
  return limr::shim::allow_dynamic_shared(reinterpret_cast<const void*>(function), value);
}
