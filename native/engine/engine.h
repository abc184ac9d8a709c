// native/engine/engine.h - what all models of a process share: threads, kernels, and the one workspace that phases take turns in.
#pragma once
#include <mutex>
#include <string>

#include "core/arena.h"
#include "core/context.h"

namespace limr {

struct EngineOptions {
  int threads = 1;
  std::string isa = "";     // "" = best
  size_t memory_limit = 0;  // bytes of weights, optimizer state and workspace together; 0 = none
  bool check_nans = false;
};

class Engine {
 public:
  explicit Engine(const EngineOptions&);

  Context context(std::atomic<bool>* abort);
  int threads() const { return pool_.size(); }
  const char* isa() const;

  // A phase (score, accumulate, generate, ...) owns the workspace; a second one waits.
  class Phase {
   public:
    // Room for `bytes`. Throws kMemory when the limit or the system says no.
    Phase(Engine& engine, size_t bytes);
    Arena& arena() { return engine_.workspace_; }

   private:
    Engine& engine_;
    std::unique_lock<std::mutex> lock_;
    ArenaScope scope_;
  };

  // Counts resident memory against the limit. Throws kMemory.
  void take(size_t bytes, const char* what);
  void give_back(size_t bytes);

 private:
  EngineOptions options_;
  ThreadPool pool_;
  const cpu::Table* table_;
  std::mutex phase_, memory_;
  Arena workspace_;
  size_t resident_ = 0;
};

}  // namespace limr
