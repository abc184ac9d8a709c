// native/binding/context_wrap.h - the JS objects: a context (threads, workspace) and the models loaded in it.
#pragma once
#include <napi.h>

#include <condition_variable>
#include <memory>
#include <mutex>
#include <set>

#include "binding/convert.h"
#include "binding/task.h"
#include "engine/model.h"
#include "engine/rollout/generate.h"
#include "engine/rollout/kv_cache.h"

namespace limr {

// Per environment: worker threads of Node each have their own.
struct AddonClasses {
  Napi::FunctionReference context, model, machine_probe, linear;
};

// How far the receiver of samples has come; the engine's thread waits on it.
class Backpressure {
 public:
  void reset(int64_t limit);
  void acknowledge(int64_t count);
  // Blocks until fewer than the limit are unacknowledged, or until released.
  void wait_and_count();
  void release();  // wakes a waiting thread for good: the call was aborted

 private:
  std::mutex mutex_;
  std::condition_variable wake_;
  int64_t limit_ = 0, outstanding_ = 0;
  bool released_ = false;
};

struct ModelState {
  std::unique_ptr<Model> model;  // null once closed; touched by the engine's thread
  Backpressure backpressure;
  SamplingCounters sampling;
  std::atomic<bool> busy{false};
  std::atomic<bool> closed{false};
  void abort();
};

// What outlives the JS objects for as long as a job runs.
struct ContextState {
  explicit ContextState(const EngineOptions& options) : engine(options) {}
  Engine engine;
  std::mutex mutex;
  std::set<ModelState*> models;  // to abort at the end of the environment
  JobQueue queue;                // last: its thread ends before the engine does
};

class ContextWrap : public Napi::ObjectWrap<ContextWrap> {
 public:
  static Napi::FunctionReference define(Napi::Env env);
  static Napi::Value create(Napi::Env env, Napi::Object options);
  explicit ContextWrap(const Napi::CallbackInfo& info);

 private:
  Napi::Value threads(const Napi::CallbackInfo& info);
  Napi::Value isa(const Napi::CallbackInfo& info);
  Napi::Value device(const Napi::CallbackInfo& info);
  Napi::Value load(const Napi::CallbackInfo& info);
  Napi::Value machine_probe(const Napi::CallbackInfo& info);
  Napi::Value linear(const Napi::CallbackInfo& info);
  Napi::Value close(const Napi::CallbackInfo& info);

  std::shared_ptr<ContextState> state_;
};

class ModelWrap : public Napi::ObjectWrap<ModelWrap> {
 public:
  static Napi::FunctionReference define(Napi::Env env);
  static Napi::Value create(Napi::Env env, std::shared_ptr<ContextState> context, std::shared_ptr<ModelState> state);
  explicit ModelWrap(const Napi::CallbackInfo& info);
  ~ModelWrap() override;

 private:
  Napi::Value info(const Napi::CallbackInfo& info);
  Napi::Value optimizer_steps(const Napi::CallbackInfo& info);
  Napi::Value set_token_bytes(const Napi::CallbackInfo& info);
  Napi::Value generate(const Napi::CallbackInfo& info);
  Napi::Value acknowledge(const Napi::CallbackInfo& info);
  Napi::Value sampling_progress(const Napi::CallbackInfo& info);
  Napi::Value abort(const Napi::CallbackInfo& info);
  Napi::Value score(const Napi::CallbackInfo& info);
  Napi::Value logits(const Napi::CallbackInfo& info);
  Napi::Value mean_hidden_states(const Napi::CallbackInfo& info);
  Napi::Value accumulate(const Napi::CallbackInfo& info);
  Napi::Value step(const Napi::CallbackInfo& info);
  Napi::Value zero_grad(const Napi::CallbackInfo& info);
  Napi::Value save(const Napi::CallbackInfo& info);
  Napi::Value save_optimizer(const Napi::CallbackInfo& info);
  Napi::Value load_optimizer(const Napi::CallbackInfo& info);
  Napi::Value tensor_names(const Napi::CallbackInfo& info);
  Napi::Value read_tensor(const Napi::CallbackInfo& info);
  Napi::Value close(const Napi::CallbackInfo& info);

  // Marks the handle busy, runs work(model) on the engine's thread, converts its result.
  template <typename T, typename Work, typename Convert>
  Napi::Value verb(Napi::Env env, Work work, Convert convert, Napi::Function callback = {});
  // For getters and setters on the JS thread: the handle must be open and idle.
  Model& idle(Napi::Env env);

  std::shared_ptr<ContextState> context_;
  std::shared_ptr<ModelState> state_;
};

}  // namespace limr
