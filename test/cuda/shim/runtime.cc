#include "runtime.h"

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cfenv>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <vector>

#include "sanitizers.h"

using Work = std::function<void()>;

struct CUgraph_st {
  std::vector<Work> work;
};
struct CUgraphExec_st {
  std::shared_ptr<const std::vector<Work>> work;
};
struct CUstream_st {
  std::deque<Work> queue;
  uint64_t submitted = 0, ended = 0;
  CUgraph_st* recording = nullptr;
};
struct CUevent_st {
  CUstream_st* stream = nullptr;
  uint64_t after = 0;  // reached when so much of the stream has ended
  std::chrono::steady_clock::time_point time;
};

namespace limr::shim {
namespace {

constexpr size_t kPage = 4096, kAlignment = 256;  // cudaMalloc's
constexpr size_t kPoisoned = size_t(64) << 20;    // more would only touch pages

const char* environment(const char* name, const char* otherwise) {
  const char* value = std::getenv(name);
  return value ? value : otherwise;
}

struct Allocation {
  char* base;  // of the mapping
  size_t mapped, bytes;
};

struct Runtime {
  std::recursive_mutex mutex;
  std::map<char*, Allocation> device, pinned;  // by the address that the caller knows
  std::map<const void*, int> dynamic_shared;   // what kernels asked for
  CUstream_st null_stream;
  std::vector<CUstream_st*> streams{&null_stream};
  size_t total = size_t(std::atoll(environment("CUDA_SHIM_MEMORY", "2147483648"))), used = 0;
  bool eager = std::string_view(environment("CUDA_SHIM_STREAMS", "deferred")) == "eager";
  bool protect = std::string_view(environment("CUDA_SHIM_PROTECT", "1")) == "1";
  int devices = std::atoi(environment("CUDA_SHIM_DEVICES", "1"));
  int capability = std::atoi(environment("CUDA_SHIM_CAPABILITY", "80"));
  int open = 0;  // drains under way

  Runtime() { set_schedule_text(environment("CUDA_SHIM_SCHEDULE", "round-robin")); }

  static void set_schedule_text(std::string_view text) {
    if (text == "round-robin") return set_schedule(Schedule::kRoundRobin, 0);
    if (text == "greedy") return set_schedule(Schedule::kGreedy, 0);
    if (text.starts_with("shuffled"))
      return set_schedule(Schedule::kShuffled, text.size() > 9 ? std::strtoull(text.data() + 9, nullptr, 10) : 0);
    die("CUDA_SHIM_SCHEDULE is none of round-robin, greedy, shuffled[:seed]");
  }

  void set_protection(int access) {
    for (const auto& [data, a] : device)
      if (mprotect(a.base, a.mapped - kPage, access) != 0) die("mprotect failed");
  }
};

Runtime& runtime() {
  static auto& r = *new Runtime;
  return r;
}
using Lock = std::lock_guard<std::recursive_mutex>;

CUstream_st& of(cudaStream_t stream) { return stream ? *stream : runtime().null_stream; }

// Device memory is open, and floating-point arithmetic as on a device, for this scope.
class OnDevice {
 public:
  OnDevice() {
    std::fegetenv(&environment_);
    std::fesetenv(FE_DFL_ENV);
    Runtime& r = runtime();
    if (r.open++ == 0 && r.protect) r.set_protection(PROT_READ | PROT_WRITE);
  }
  ~OnDevice() {
    Runtime& r = runtime();
    if (--r.open == 0 && r.protect) r.set_protection(PROT_NONE);
    std::fesetenv(&environment_);
  }
  OnDevice(const OnDevice&) = delete;
  OnDevice& operator=(const OnDevice&) = delete;

 private:
  std::fenv_t environment_;
};

void drain(CUstream_st& s, uint64_t until) {
  if (s.ended >= until) return;
  const OnDevice scope;
  while (s.ended < until && !s.queue.empty()) {
    const Work work = std::move(s.queue.front());
    s.queue.pop_front();
    ++s.ended;
    work();
  }
}

cudaError_t fail(cudaError_t error) {
  own.last_error = error;
  return error;
}

// The allocation that holds all of [data, data + bytes), or null.
const Allocation* find(const std::map<char*, Allocation>& in, const void* data, size_t bytes) {
  auto* at = static_cast<char*>(const_cast<void*>(data));
  auto next = in.upper_bound(at);
  if (next == in.begin()) return nullptr;
  const auto& [begin, a] = *std::prev(next);
  return at + bytes <= begin + a.bytes ? &a : nullptr;
}

// Its end touches a page that nobody may touch.
cudaError_t allocate(std::map<char*, Allocation>& in, void** data, size_t bytes, bool closed) {
  const size_t mapped = (std::max<size_t>(bytes, 1) + kPage - 1) / kPage * kPage + kPage;
  auto* base = static_cast<char*>(
      mmap(nullptr, mapped, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0));
  if (base == MAP_FAILED) return fail(cudaErrorMemoryAllocation);
  mprotect(base + mapped - kPage, kPage, PROT_NONE);
  char* const begin = base + (mapped - kPage - bytes) / kAlignment * kAlignment;
  std::memset(begin, 0xff, std::min(bytes, kPoisoned));
  asan_poison(begin + bytes, size_t(base + mapped - kPage - begin) - bytes);
  if (closed) mprotect(base, mapped - kPage, PROT_NONE);
  in[begin] = {base, mapped, bytes};
  *data = begin;
  return cudaSuccess;
}

cudaError_t release(std::map<char*, Allocation>& in, void* data) {
  if (!data) return cudaSuccess;
  const auto at = in.find(static_cast<char*>(data));
  if (at == in.end()) return fail(cudaErrorInvalidValue);
  for (CUstream_st* s : runtime().streams) drain(*s, s->submitted);
  asan_unpoison(at->second.base, at->second.mapped);
  munmap(at->second.base, at->second.mapped);
  in.erase(at);
  return cudaSuccess;
}

}  // namespace

cudaError_t submit(cudaStream_t stream, Work work) {
  const Lock lock(runtime().mutex);
  CUstream_st& s = of(stream);
  if (s.recording) {
    s.recording->work.push_back(std::move(work));
    return cudaSuccess;
  }
  s.queue.push_back(std::move(work));
  ++s.submitted;
  if (runtime().eager) drain(s, s.submitted);
  return cudaSuccess;
}

cudaError_t launch(Grid grid, const void* function, cudaStream_t stream) {
  constexpr int kMostShared = 227 << 10, kSharedUnasked = 48 << 10;
  const Lock lock(runtime().mutex);
  const bool blocks = grid.blocks.x > 0 && grid.blocks.x <= 0x7fffffffu && grid.blocks.y > 0 &&
                      grid.blocks.y <= 65535 && grid.blocks.z > 0 && grid.blocks.z <= 65535;
  const bool threads = grid.threads.count() > 0 && grid.threads.count() <= 1024 && grid.threads.z <= 64;
  if (!blocks || !threads) return fail(cudaErrorInvalidConfiguration);
  const auto asked = runtime().dynamic_shared.find(function);
  const int allowed =
      asked == runtime().dynamic_shared.end() ? kSharedUnasked : std::max(asked->second, kSharedUnasked);
  if (int64_t(grid.shared_bytes) > allowed || allowed > kMostShared) return fail(cudaErrorInvalidValue);
  return submit(stream, [grid = std::move(grid)] { run_grid(grid); });
}

cudaError_t allow_dynamic_shared(const void* function, int bytes) {
  if (bytes < 0 || bytes > 227 << 10) return fail(cudaErrorInvalidValue);
  const Lock lock(runtime().mutex);
  runtime().dynamic_shared[function] = bytes;
  return cudaSuccess;
}

}  // namespace limr::shim

using namespace limr::shim;

// For tests: takes what CUDA_SHIM_SCHEDULE takes.
extern "C" [[gnu::visibility("default")]] void cuda_shim_schedule(const char* text) {
  const Lock lock(runtime().mutex);
  Runtime::set_schedule_text(text);
}

cudaError_t cudaGetDeviceCount(int* count) {
  *count = runtime().devices;
  return *count ? cudaSuccess : fail(cudaErrorInsufficientDriver);
}
cudaError_t cudaSetDevice(int device) {
  return device >= 0 && device < runtime().devices ? cudaSuccess : fail(cudaErrorInvalidDevice);
}
cudaError_t cudaGetDeviceProperties(cudaDeviceProp* p, int device) {
  if (device < 0 || device >= runtime().devices) return fail(cudaErrorInvalidDevice);
  *p = {};
  std::snprintf(p->name, sizeof p->name, "host shim");
  p->totalGlobalMem = runtime().total;
  p->major = runtime().capability / 10, p->minor = runtime().capability % 10, p->multiProcessorCount = 4;
  return cudaSuccess;
}
cudaError_t cudaDeviceGetAttribute(int* value, cudaDeviceAttr attribute, int device) {
  cudaDeviceProp p;
  if (const cudaError_t error = cudaGetDeviceProperties(&p, device)) return error;
  *value = attribute == cudaDevAttrMultiProcessorCount      ? p.multiProcessorCount
           : attribute == cudaDevAttrComputeCapabilityMajor ? p.major
                                                            : p.minor;
  return cudaSuccess;
}
cudaError_t cudaDriverGetVersion(int* version) { return *version = 13000, cudaSuccess; }
cudaError_t cudaRuntimeGetVersion(int* version) { return *version = 13000, cudaSuccess; }
cudaError_t cudaMemGetInfo(size_t* free, size_t* total) {
  const Lock lock(runtime().mutex);
  *total = runtime().total;
  *free = runtime().total - runtime().used;
  return cudaSuccess;
}
cudaError_t cudaGetLastError() {
  const auto error = cudaError_t(own.last_error);
  own.last_error = cudaSuccess;
  return error;
}
cudaError_t cudaPeekAtLastError() { return cudaError_t(own.last_error); }

const char* cudaGetErrorName(cudaError_t error) {
  switch (error) {
    case cudaSuccess:
      return "cudaSuccess";
    case cudaErrorInvalidValue:
      return "cudaErrorInvalidValue";
    case cudaErrorMemoryAllocation:
      return "cudaErrorMemoryAllocation";
    case cudaErrorInvalidConfiguration:
      return "cudaErrorInvalidConfiguration";
    case cudaErrorInsufficientDriver:
      return "cudaErrorInsufficientDriver";
    case cudaErrorNoDevice:
      return "cudaErrorNoDevice";
    case cudaErrorInvalidDevice:
      return "cudaErrorInvalidDevice";
    case cudaErrorNotReady:
      return "cudaErrorNotReady";
    case cudaErrorStreamCaptureUnsupported:
      return "cudaErrorStreamCaptureUnsupported";
    case cudaErrorStreamCaptureInvalidated:
      return "cudaErrorStreamCaptureInvalidated";
  }
  return "unrecognized error code";
}
const char* cudaGetErrorString(cudaError_t error) { return cudaGetErrorName(error); }

cudaError_t cudaMalloc(void** data, size_t bytes) {
  Runtime& r = runtime();
  const Lock lock(r.mutex);
  if (bytes > r.total - r.used) return fail(cudaErrorMemoryAllocation);
  for (const CUstream_st* s : r.streams)
    if (s->recording) return fail(cudaErrorStreamCaptureUnsupported);
  const cudaError_t error = allocate(r.device, data, bytes, r.protect && r.open == 0);
  if (!error) r.used += bytes;
  return error;
}
cudaError_t cudaFree(void* data) {
  Runtime& r = runtime();
  const Lock lock(r.mutex);
  const auto at = r.device.find(static_cast<char*>(data));
  const size_t bytes = at == r.device.end() ? 0 : at->second.bytes;
  const cudaError_t error = release(r.device, data);
  if (!error) r.used -= bytes;
  return error;
}
cudaError_t cudaHostAlloc(void** data, size_t bytes, unsigned) {
  const Lock lock(runtime().mutex);
  return allocate(runtime().pinned, data, bytes, false);
}
cudaError_t cudaMallocHost(void** data, size_t bytes) { return cudaHostAlloc(data, bytes, cudaHostAllocDefault); }
cudaError_t cudaFreeHost(void* data) {
  const Lock lock(runtime().mutex);
  return release(runtime().pinned, data);
}

cudaError_t cudaStreamCreateWithFlags(cudaStream_t* stream, unsigned) {
  const Lock lock(runtime().mutex);
  runtime().streams.push_back(*stream = new CUstream_st);
  return cudaSuccess;
}
cudaError_t cudaStreamDestroy(cudaStream_t stream) {
  const Lock lock(runtime().mutex);
  drain(*stream, stream->submitted);
  std::erase(runtime().streams, stream);
  delete stream;
  return cudaSuccess;
}
cudaError_t cudaStreamSynchronize(cudaStream_t stream) {
  const Lock lock(runtime().mutex);
  CUstream_st& s = of(stream);
  if (s.recording) return fail(cudaErrorStreamCaptureUnsupported);
  drain(s, s.submitted);
  return cudaSuccess;
}
cudaError_t cudaDeviceSynchronize() {
  const Lock lock(runtime().mutex);
  for (CUstream_st* s : runtime().streams) {
    if (s->recording) return fail(cudaErrorStreamCaptureUnsupported);
    drain(*s, s->submitted);
  }
  return cudaSuccess;
}
cudaError_t cudaStreamWaitEvent(cudaStream_t stream, cudaEvent_t event, unsigned) {
  const Lock lock(runtime().mutex);
  if (!event->stream) return cudaSuccess;  // never recorded
  return submit(stream, [source = event->stream, after = event->after] {
    const auto& all = runtime().streams;
    if (std::find(all.begin(), all.end(), source) != all.end()) drain(*source, after);
  });
}

cudaError_t cudaMemcpy2DAsync(void* to, size_t to_pitch, const void* from, size_t from_pitch, size_t width,
                              size_t height, cudaMemcpyKind kind, cudaStream_t stream) {
  Runtime& r = runtime();
  const Lock lock(r.mutex);
  if (width == 0 || height == 0) return cudaSuccess;
  if (width > to_pitch || width > from_pitch) return fail(cudaErrorInvalidValue);
  const size_t to_bytes = to_pitch * (height - 1) + width, from_bytes = from_pitch * (height - 1) + width;
  const bool to_device = find(r.device, to, to_bytes), from_device = find(r.device, from, from_bytes);
  const bool says_to = kind == cudaMemcpyHostToDevice || kind == cudaMemcpyDeviceToDevice;
  const bool says_from = kind == cudaMemcpyDeviceToHost || kind == cudaMemcpyDeviceToDevice;
  if (kind != cudaMemcpyDefault && (says_to != to_device || says_from != from_device))
    return fail(cudaErrorInvalidValue);
  const auto copy = [=](const char* source) {
    for (size_t row = 0; row < height; ++row)
      std::memmove(static_cast<char*>(to) + row * to_pitch, source + row * from_pitch, width);
  };
  const auto* source = static_cast<const char*>(from);
  const bool pageable_from = !from_device && !find(r.pinned, from, from_bytes);
  const bool pageable_to = !to_device && !find(r.pinned, to, to_bytes);
  if ((pageable_from || pageable_to) && of(stream).recording) return fail(cudaErrorStreamCaptureUnsupported);
  if (pageable_from) {  // taken before the call returns
    auto staged = std::make_shared<std::vector<char>>(source, source + from_bytes);
    submit(stream, [=] { copy(staged->data()); });
  } else {
    submit(stream, [=] { copy(source); });
  }
  return pageable_to ? cudaStreamSynchronize(stream) : cudaSuccess;
}
cudaError_t cudaMemcpyAsync(void* to, const void* from, size_t bytes, cudaMemcpyKind kind, cudaStream_t stream) {
  return cudaMemcpy2DAsync(to, bytes, from, bytes, bytes, 1, kind, stream);
}
cudaError_t cudaMemsetAsync(void* data, int value, size_t bytes, cudaStream_t stream) {
  const Lock lock(runtime().mutex);
  if (bytes == 0) return cudaSuccess;
  if (!find(runtime().device, data, bytes)) return fail(cudaErrorInvalidValue);
  return submit(stream, [=] { std::memset(data, value, bytes); });
}

cudaError_t cudaEventCreateWithFlags(cudaEvent_t* event, unsigned) { return *event = new CUevent_st, cudaSuccess; }
cudaError_t cudaEventCreate(cudaEvent_t* event) { return cudaEventCreateWithFlags(event, 0); }
cudaError_t cudaEventDestroy(cudaEvent_t event) {
  const Lock lock(runtime().mutex);
  if (event->stream) drain(*event->stream, event->after);  // queued work may still write its time
  delete event;
  return cudaSuccess;
}
cudaError_t cudaEventRecord(cudaEvent_t event, cudaStream_t stream) {
  const Lock lock(runtime().mutex);
  CUstream_st& s = of(stream);
  if (s.recording) return fail(cudaErrorStreamCaptureUnsupported);
  event->stream = &s;
  submit(stream, [event] { event->time = std::chrono::steady_clock::now(); });
  event->after = s.submitted;
  return cudaSuccess;
}
cudaError_t cudaEventSynchronize(cudaEvent_t event) {
  const Lock lock(runtime().mutex);
  if (event->stream) drain(*event->stream, event->after);
  return cudaSuccess;
}
cudaError_t cudaEventElapsedTime(float* ms, cudaEvent_t begin, cudaEvent_t end) {
  const Lock lock(runtime().mutex);
  if (!begin->stream || !end->stream) return fail(cudaErrorInvalidValue);
  if (begin->stream->ended < begin->after || end->stream->ended < end->after) return fail(cudaErrorNotReady);
  *ms = std::chrono::duration<float, std::milli>(end->time - begin->time).count();
  return cudaSuccess;
}

cudaError_t cudaStreamBeginCapture(cudaStream_t stream, cudaStreamCaptureMode) {
  const Lock lock(runtime().mutex);
  if (!stream || stream->recording) return fail(cudaErrorStreamCaptureUnsupported);
  stream->recording = new CUgraph_st;
  return cudaSuccess;
}
cudaError_t cudaStreamEndCapture(cudaStream_t stream, cudaGraph_t* graph) {
  const Lock lock(runtime().mutex);
  if (!stream || !stream->recording) return fail(cudaErrorStreamCaptureInvalidated);
  *graph = std::exchange(stream->recording, nullptr);
  return cudaSuccess;
}
cudaError_t cudaGraphInstantiate(cudaGraphExec_t* exec, cudaGraph_t graph, unsigned long long) {
  *exec = new CUgraphExec_st{std::make_shared<std::vector<Work>>(graph->work)};
  return cudaSuccess;
}
cudaError_t cudaGraphLaunch(cudaGraphExec_t exec, cudaStream_t stream) {
  return submit(stream, [work = exec->work] {
    for (const Work& w : *work) w();
  });
}
cudaError_t cudaGraphDestroy(cudaGraph_t graph) { return delete graph, cudaSuccess; }
cudaError_t cudaGraphExecDestroy(cudaGraphExec_t exec) { return delete exec, cudaSuccess; }
