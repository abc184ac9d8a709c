#include "ops/cuda_device.h"

#include <dlfcn.h>

#include <cstring>
#include <map>

namespace limr::cuda {
namespace {

constexpr const char* kRebuild =
    "Build it again, with the addon: `npm rebuild limr-engine` (in a clone: `npm run install -- limr_cuda`).";

const Table& open_module(const std::string& file) {
  void* module = dlopen(file.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (!module) {
    const char* reason = dlerror();
    throw Error(Code::kPlatform, cat("the CUDA backend does not load: ", reason ? reason : file),
                cat("It is built where the CUDA toolkit (nvcc) is found. ", kRebuild));
  }
  using Entry = const Table* (*)();
  const auto entry = reinterpret_cast<Entry>(dlsym(module, "limr_cuda_table"));
  LIMR_CHECK(entry, kPlatform, cat(file, " is no CUDA backend: it exports no limr_cuda_table"), kRebuild);
  const Table* table = entry();
  LIMR_CHECK(table && table->version == kTableVersion && table->bytes == sizeof(Table), kPlatform,
             cat(file, " was built from other sources than the addon"), kRebuild);
  return *table;
}

}  // namespace

const Table& load_module(const std::string& file) {
  static std::mutex mutex;
  static std::map<std::string, const Table*> loaded;  // modules stay: a driver does not like to be unloaded
  const std::lock_guard<std::mutex> lock(mutex);
  auto [it, fresh] = loaded.try_emplace(file, nullptr);
  if (!it->second) it->second = &open_module(file);
  return *it->second;
}

QueueEvent::QueueEvent(CudaDevice& device) : table_(device.table()) { check(table_.event(device.stream(), &event_)); }

QueueEvent::~QueueEvent() { table_.free_event(event_); }

CopyQueue::CopyQueue(CudaDevice& device) : table_(device.table()) {
  check(table_.open_copies(device.stream(), &stream_));
}

CopyQueue::~CopyQueue() { table_.close(stream_); }

void CopyQueue::wait_for(CudaDevice& device, const QueueEvent& e) {
  device.record(e);
  wait(e);
}

Graph::Graph(CudaDevice& device, const std::function<void()>& queue) : device_(device) {
  const Table& table = device.table();
  const std::lock_guard<std::mutex> lock(device.recording_);
  check(table.begin_capture(device.stream()));
  try {
    queue();
  } catch (...) {
    void* part = nullptr;
    if (!table.end_capture(device.stream(), &part)) table.free_graph(part);
    throw;
  }
  check(table.end_capture(device.stream(), &graph_));
}

Graph::~Graph() { device_.table().free_graph(graph_); }

void Graph::launch() const { check(device_.table().launch_graph(device_.stream(), graph_)); }

CudaDevice::CudaDevice(const CudaOptions& options)
    : table_(load_module(options.module)), device_(options.device), sync_(options.sync) {
  std::vector<const char*> files;
  for (const std::string& f : options.cublaslt) files.push_back(f.c_str());
  check(table_.open({options.device, files.data(), int(files.size()), options.sync}, &stream_));
}

CudaDevice::~CudaDevice() { table_.close(stream_); }

DeviceInfo CudaDevice::info() const {
  DeviceInfo info{};
  check(table_.device_info(device_, &info));
  return info;
}

std::string CudaDevice::name() const { return cat("cuda:", device_); }

void* CudaDevice::alloc(size_t bytes) {
  const std::lock_guard<std::mutex> lock(recording_);
  void* data = nullptr;
  check(table_.alloc(stream_, bytes, &data));
  zero(data, bytes);
  return data;
}

void CudaDevice::free(void* data, size_t) noexcept {
  const std::lock_guard<std::mutex> lock(recording_);
  table_.free(stream_, data);
}

void* CudaDevice::alloc_pinned(size_t bytes) {
  const std::lock_guard<std::mutex> lock(recording_);
  void* data = nullptr;
  check(table_.alloc_pinned(stream_, bytes, &data));
  std::memset(data, 0, bytes);
  return data;
}

void CudaDevice::free_pinned(void* data, size_t) noexcept {
  const std::lock_guard<std::mutex> lock(recording_);
  table_.free_pinned(stream_, data);
}

void CudaDevice::copy_in(void* dest, const void* source, size_t bytes) {
  if (bytes) check(table_.copy_in(stream_, dest, source, bytes));
}

void CudaDevice::copy_out(void* dest, const void* source, size_t bytes) {
  if (!bytes) return;
  check(table_.copy_out(stream_, dest, source, bytes));
  synchronize();
}

void CudaDevice::copy_within(void* dest, const void* source, size_t bytes) {
  if (bytes) check(table_.copy_within(stream_, dest, source, bytes));
}

void CudaDevice::zero(void* dest, size_t bytes) {
  if (bytes) check(table_.zero(stream_, dest, bytes));
}

void CudaDevice::synchronize() { check(table_.synchronize(stream_)); }

}  // namespace limr::cuda
