// native/engine/engine.h - what models share: a device, threads, kernels, and the one workspace that phases take turns in. One thread at a time
// runs their verbs, since all fork on one pool (the binding has a queue for that); models may be freed on any thread.
#pragma once
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "core/arena.h"
#include "core/context.h"
#include "ops/cuda_device.h"

namespace limr {

struct EngineOptions {
  int threads = 1;
  std::string isa = "";     // "" = best
  size_t memory_limit = 0;  // bytes of weights, optimizer state and workspace together; 0 = none
  bool check_nans = false;
  std::optional<cuda::CudaOptions> cuda = {};  // run on this GPU
};

// A model that takes turns with others on the device.
class Guest {
 public:
  virtual ~Guest() = default;
  // Leave the device. On the engine's thread, between verbs.
  virtual void leave() = 0;
};

class Engine {
 public:
  explicit Engine(const EngineOptions&);

  Context context(std::atomic<bool>* abort);
  int threads() const { return pool_.size(); }
  const char* isa() const;
  // Where models, their state and the workspace are.
  Device& device() { return cuda_ ? *cuda_ : cpu_device(); }
  Target target() { return {device().kind(), threads()}; }
  // Null on the CPU.
  const cuda::CudaDevice* cuda() const { return cuda_.get(); }

  // A phase (score, accumulate, generate, ...) owns the workspace while it lives.
  class Phase {
   public:
    // Room for `bytes`. Throws kMemory when the limit or the system says no.
    Phase(Engine& engine, size_t bytes);
    Arena& arena() { return engine_.workspace_; }

   private:
    Engine& engine_;
    ArenaScope scope_;
  };

  // Counts resident memory against the limit. Throws kMemory.
  void take(size_t bytes, const char* what);
  void give_back(size_t bytes);

  // Guests come and go; those that are known leave when another one enters.
  void add(Guest* guest);
  void remove(Guest* guest);
  void enter(const Guest* guest);
  // The workspace's memory is free until the next phase.
  void release_workspace();

 private:
  EngineOptions options_;
  ThreadPool pool_;
  const cpu::Table* table_;
  std::unique_ptr<cuda::CudaDevice> cuda_;
  std::mutex memory_;  // guards workspace_'s capacity and resident_
  Arena workspace_;
  size_t resident_;  // models, and what the device itself takes
  std::mutex guests_mutex_;
  std::vector<Guest*> guests_;
};

}  // namespace limr
