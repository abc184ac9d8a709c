#include "engine/engine.h"

#include "ops/cpu/table.h"

namespace limr {
namespace {
std::string mib(size_t bytes) { return cat((bytes + (1 << 20) - 1) >> 20, " MiB"); }
constexpr const char* kHint =
    "Lower the token budget or the batch, use a smaller model, or raise the limit; `limr-engine plan` shows what each "
    "takes.";
}  // namespace

Engine::Engine(const EngineOptions& options)
    : options_(options),
      pool_(options.threads),
      table_(cpu::table(options.isa)),
      cuda_(options.cuda ? std::make_unique<cuda::CudaDevice>(*options.cuda) : nullptr),
      workspace_(device()),
      resident_(cuda_ ? cuda::kDeviceOverhead : 0) {}

Context Engine::context(std::atomic<bool>* abort) {
  return {.device = &device(),
          .cuda = cuda_.get(),
          .pool = &pool_,
          .cpu = table_,
          .rank = 0,
          .abort = abort,
          .check_nans = options_.check_nans};
}

const char* Engine::isa() const { return table_->isa; }

Engine::Phase::Phase(Engine& engine, size_t bytes) : engine_(engine), scope_(engine.workspace_) {
  const std::lock_guard<std::mutex> memory(engine.memory_);  // a model may be freed meanwhile, on another thread
  if (bytes > engine.workspace_.capacity()) {
    const size_t limit = engine.options_.memory_limit;
    LIMR_CHECK(limit == 0 || engine.resident_ + bytes <= limit, kMemory,
               cat("a workspace of ", mib(bytes), " beside ", mib(engine.resident_), " of models exceeds the limit of ",
                   mib(limit)),
               kHint);
    engine.workspace_.reserve(bytes);
  }
}

void Engine::take(size_t bytes, const char* what) {
  const std::lock_guard<std::mutex> lock(memory_);
  const size_t limit = options_.memory_limit;
  LIMR_CHECK(limit == 0 || resident_ + workspace_.capacity() + bytes <= limit, kMemory,
             cat(what, " of ", mib(bytes), " beside ", mib(resident_ + workspace_.capacity()), " exceed the limit of ",
                 mib(limit)),
             kHint);
  resident_ += bytes;
}

void Engine::add(Guest* guest) {
  const std::lock_guard<std::mutex> lock(guests_mutex_);
  guests_.push_back(guest);
}

void Engine::remove(Guest* guest) {
  const std::lock_guard<std::mutex> lock(guests_mutex_);
  std::erase(guests_, guest);
}

void Engine::enter(const Guest* guest) {
  const std::lock_guard<std::mutex> lock(guests_mutex_);
  for (Guest* other : guests_)
    if (other != guest) other->leave();
}

void Engine::release_workspace() {
  const std::lock_guard<std::mutex> lock(memory_);
  workspace_.reset();
}

void Engine::give_back(size_t bytes) {
  const std::lock_guard<std::mutex> lock(memory_);
  resident_ -= bytes;
}

}  // namespace limr
