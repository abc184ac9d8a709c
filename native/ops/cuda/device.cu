#include "ops/cuda/device.h"

#include <algorithm>
#include <cstring>
#include <string>
#include <vector>

#include "core/error.h"
#include "ops/cuda/last_launch.h"

namespace limr::cuda {
namespace {

std::string version_text(int version) { return cat(version / 1000, ".", version % 1000 / 10); }

// What to do about a machine whose devices cannot be counted.
std::string hint_for(cudaError_t error) {
  if (error == cudaErrorInsufficientDriver) {
    int driver = 0, runtime = 0;
    cudaDriverGetVersion(&driver);
    cudaRuntimeGetVersion(&runtime);
    if (driver == 0) return "Install NVIDIA's driver, or use --device cpu.";
    return cat("The driver knows CUDA ", version_text(driver), ", this build needs ", version_text(runtime),
               ": install a newer driver.");
  }
  return "Use --device cpu, or see `limr-engine doctor`.";
}

std::unique_ptr<Stream> open_queue(int device, bool sync) {
  LIMR_CUDA_CHECK(cudaSetDevice(device));
  auto s = std::make_unique<Stream>();
  s->device = device;
  s->sync = sync;
  LIMR_CUDA_CHECK(cudaStreamCreateWithFlags(&s->queue, cudaStreamNonBlocking));
  return s;
}

// "; last launch: rope_forward_kernel, grid 28x1x1, block 256x1x1, 0 bytes of shared memory". Unless every launch is waited for
// (LIMR_SYNC=1), the one that failed may be an earlier one.
std::string launch_text() {
  const LastLaunch& l = last_launch;
  if (!l.kernel) return "";
  const auto dims = [](const unsigned(&d)[3]) { return cat(d[0], "x", d[1], "x", d[2]); };
  return cat("; last launch: ", l.kernel, ", grid ", dims(l.grid), ", block ", dims(l.block), ", ", l.shared_bytes,
             " bytes of shared memory");
}

}  // namespace

void check_cuda(cudaError_t error, const char* what, const char* file, int line) {
  if (error == cudaSuccess) [[likely]]
    return;
  cudaGetLastError();  // this one is reported: the next call starts clean
  const char* slash = std::strrchr(file, '/');
  const std::string text = cat("CUDA: ", cudaGetErrorName(error), " (", cudaGetErrorString(error), ") at ",
                               slash ? slash + 1 : file, ":", line, ": ", what, launch_text());
  if (error == cudaErrorMemoryAllocation)
    throw Error(Code::kMemory, "the GPU has no memory left: " + text,
                "`limr-engine plan --device cuda` says what fits.");
  throw Error(Code::kInternal, text, "Run again with LIMR_SYNC=1, which names the op that fails, and report it.");
}

void launched(const Stream& s, const char* kernel) {
  check_cuda(cudaGetLastError(), kernel, __FILE__, __LINE__);
  if (s.sync && !s.capturing) check_cuda(cudaStreamSynchronize(s.queue), kernel, __FILE__, __LINE__);
}

void device_count(int* count) {
  *count = 0;
  const cudaError_t error = cudaGetDeviceCount(count);
  if (error == cudaSuccess) return;
  cudaGetLastError();
  throw Error(Code::kPlatform, cat("no GPU can be used: ", cudaGetErrorString(error)), hint_for(error));
}

void device_info(int device, DeviceInfo* info) {
  cudaDeviceProp p;
  LIMR_CUDA_CHECK(cudaGetDeviceProperties(&p, device));
  LIMR_CUDA_CHECK(cudaSetDevice(device));
  size_t free = 0, total = 0;
  LIMR_CUDA_CHECK(cudaMemGetInfo(&free, &total));
  *info = {};
  std::memcpy(info->name, p.name, std::min(sizeof info->name, sizeof p.name));  // ends with 0 in both
  info->major = p.major, info->minor = p.minor, info->multiprocessors = p.multiProcessorCount;
  LIMR_CUDA_CHECK(cudaDriverGetVersion(&info->driver));
  LIMR_CUDA_CHECK(cudaRuntimeGetVersion(&info->runtime));
  info->memory_total = int64_t(total), info->memory_free = int64_t(free);
}

void open(const OpenOptions& o, Stream** stream) {
  int count = 0;
  device_count(&count);
  LIMR_CHECK(o.device >= 0 && o.device < count, kPlatform, cat("there is no GPU ", o.device, ": ", count, " found"),
             "GPUs are counted from 0; CUDA_VISIBLE_DEVICES may hide some.");
  int major = 0, minor = 0;
  LIMR_CUDA_CHECK(cudaDeviceGetAttribute(&major, cudaDevAttrComputeCapabilityMajor, o.device));
  LIMR_CUDA_CHECK(cudaDeviceGetAttribute(&minor, cudaDevAttrComputeCapabilityMinor, o.device));
  LIMR_CHECK(major >= 8, kPlatform,
             cat("GPU ", o.device, " has compute capability ", major, ".", minor, ", and 8.0 is needed"),
             "Ampere (A100, RTX 30) and newer GPUs have it; use --device cpu.");
  const lt::CublasLt& library = lt::load_cublaslt(std::vector<std::string>(o.cublaslt, o.cublaslt + o.num_cublaslt));
  auto s = open_queue(o.device, o.sync);
  s->plans = std::make_unique<LinearPlans>(library, s->queue);
  *stream = s.release();
}

void open_copies(Stream* beside, Stream** stream) { *stream = open_queue(beside->device, beside->sync).release(); }

void close(Stream* s) {
  if (!s) return;
  cudaSetDevice(s->device);
  cudaStreamSynchronize(s->queue);
  s->plans.reset();
  cudaStreamDestroy(s->queue);
  cudaGetLastError();
  delete s;
}

void alloc(Stream*, size_t bytes, void** data) { LIMR_CUDA_CHECK(cudaMalloc(data, bytes)); }
void free(Stream*, void* data) { LIMR_CUDA_CHECK(cudaFree(data)); }
void alloc_pinned(Stream*, size_t bytes, void** data) {
  LIMR_CUDA_CHECK(cudaHostAlloc(data, bytes, cudaHostAllocDefault));
}
void free_pinned(Stream* s, void* data) {
  LIMR_CUDA_CHECK(cudaStreamSynchronize(s->queue));
  LIMR_CUDA_CHECK(cudaFreeHost(data));
}
void memory(Stream*, int64_t* total, int64_t* free) {
  size_t free_bytes = 0, total_bytes = 0;
  LIMR_CUDA_CHECK(cudaMemGetInfo(&free_bytes, &total_bytes));
  *total = int64_t(total_bytes), *free = int64_t(free_bytes);
}

void copy_in(Stream* s, void* dest, const void* source, size_t bytes) {
  LIMR_CUDA_CHECK(cudaMemcpyAsync(dest, source, bytes, cudaMemcpyHostToDevice, s->queue));
}
void copy_out(Stream* s, void* dest, const void* source, size_t bytes) {
  LIMR_CUDA_CHECK(cudaMemcpyAsync(dest, source, bytes, cudaMemcpyDeviceToHost, s->queue));
}
void copy_within(Stream* s, void* dest, const void* source, size_t bytes) {
  LIMR_CUDA_CHECK(cudaMemcpyAsync(dest, source, bytes, cudaMemcpyDeviceToDevice, s->queue));
}
void zero(Stream* s, void* dest, size_t bytes) { LIMR_CUDA_CHECK(cudaMemsetAsync(dest, 0, bytes, s->queue)); }
void synchronize(Stream* s) { LIMR_CUDA_CHECK(cudaStreamSynchronize(s->queue)); }

void make_event(Stream*, Event** event) {
  auto e = std::make_unique<Event>();
  LIMR_CUDA_CHECK(cudaEventCreateWithFlags(&e->event, cudaEventDisableTiming));
  *event = e.release();
}
void record(Stream* s, Event* event) { LIMR_CUDA_CHECK(cudaEventRecord(event->event, s->queue)); }
void wait(Stream* s, Event* event) { LIMR_CUDA_CHECK(cudaStreamWaitEvent(s->queue, event->event, 0)); }

void begin_capture(Stream* s) {
  LIMR_CUDA_CHECK(cudaStreamBeginCapture(s->queue, cudaStreamCaptureModeThreadLocal));
  s->capturing = true;
}
void end_capture(Stream* s, void** graph) {
  s->capturing = false;
  cudaGraph_t recorded = nullptr;
  LIMR_CUDA_CHECK(cudaStreamEndCapture(s->queue, &recorded));
  cudaGraphExec_t exec = nullptr;
  const cudaError_t error = cudaGraphInstantiate(&exec, recorded, 0);
  cudaGraphDestroy(recorded);
  LIMR_CUDA_CHECK(error);
  *graph = exec;
}
void launch_graph(Stream* s, void* graph) {
  LIMR_CUDA_CHECK(cudaGraphLaunch(static_cast<cudaGraphExec_t>(graph), s->queue));
}

}  // namespace limr::cuda
