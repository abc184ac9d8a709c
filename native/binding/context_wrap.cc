#include "binding/context_wrap.h"

#include "binding/cuda.h"
#include "binding/probe_wrap.h"

namespace limr {
namespace {
struct Nothing {};
Napi::Value undefined(Napi::Env env, Nothing&) { return env.Undefined(); }
}  // namespace

void Backpressure::reset(int64_t limit) {
  const std::lock_guard<std::mutex> lock(mutex_);
  limit_ = limit, outstanding_ = 0, released_ = false;
}

void Backpressure::acknowledge(int64_t count) {
  const std::lock_guard<std::mutex> lock(mutex_);
  outstanding_ -= count;
  wake_.notify_all();
}

void Backpressure::wait_and_count() {
  std::unique_lock<std::mutex> lock(mutex_);
  wake_.wait(lock, [this] { return released_ || limit_ <= 0 || outstanding_ < limit_; });
  ++outstanding_;
}

void Backpressure::release() {
  const std::lock_guard<std::mutex> lock(mutex_);
  released_ = true;
  wake_.notify_all();
}

void ModelState::abort() {
  if (model) model->abort();
  backpressure.release();
}

Napi::FunctionReference ContextWrap::define(Napi::Env env) {
  return Napi::Persistent(
      DefineClass(env, "NativeContext",
                  {InstanceAccessor<&ContextWrap::threads>("threads"), InstanceAccessor<&ContextWrap::isa>("isa"),
                   InstanceAccessor<&ContextWrap::device>("device"), InstanceMethod<&ContextWrap::load>("load"),
                   InstanceMethod<&ContextWrap::machine_probe>("machineProbe"),
                   InstanceMethod<&ContextWrap::linear>("linear"), InstanceMethod<&ContextWrap::close>("close")}));
}

Napi::Value ContextWrap::create(Napi::Env env, Napi::Object options) {
  return env.GetInstanceData<AddonClasses>()->context.New({options});
}

ContextWrap::ContextWrap(const Napi::CallbackInfo& info) : ObjectWrap(info) {
  const Napi::Env env = info.Env();
  const auto o = info[0].As<Napi::Object>();
  state_ = guarded(env, [&] {
    EngineOptions options{.threads = int(integer(o, "threads")),
                          .isa = text(o, "isa"),
                          .memory_limit = size_t(number(o, "memoryLimitBytes")),
                          .check_nans = o.Get("checkNans").ToBoolean()};
    if (const Napi::Value cuda = o.Get("cuda"); cuda.IsObject())
      options.cuda = to_cuda_options(cuda.As<Napi::Object>());
    LIMR_CHECK(options.threads >= 1 && options.threads <= 1024, kUsage,
               cat("threads is ", options.threads, ", expected 1 to 1024"));
    return std::make_shared<ContextState>(options);
  });
  Napi::Env cleanup_env = env;
  // The end of an environment (a worker's exit, process.exit) must not wait for a phase to finish.
  cleanup_env.AddCleanupHook([weak = std::weak_ptr<ContextState>(state_)] {
    const auto state = weak.lock();
    if (!state) return;
    const std::lock_guard<std::mutex> lock(state->mutex);
    for (ModelState* m : state->models) m->abort();
  });
}

Napi::Value ContextWrap::threads(const Napi::CallbackInfo& info) {
  return Napi::Number::New(info.Env(), state_->engine.threads());
}
Napi::Value ContextWrap::isa(const Napi::CallbackInfo& info) {
  return Napi::String::New(info.Env(), state_->engine.isa());
}

Napi::Value ContextWrap::device(const Napi::CallbackInfo& info) {
  return Napi::String::New(info.Env(), state_->engine.device().name());
}

Napi::Value ContextWrap::load(const Napi::CallbackInfo& info) {
  const auto o = info[0].As<Napi::Object>();
  const LoadOptions options{.dir = text(o, "dir"),
                            .head = text(o, "head") == "value" ? Head::kValue : Head::kLm,
                            .trainable = boolean(o, "trainable"),
                            .random_seed = integer(o, "randomSeed"),
                            .value_head_seed = uint32_t(integer(o, "valueHeadSeed")),
                            .checkpointing = boolean(o, "activationCheckpointing"),
                            .share_prefixes = o.Get("sharePrefixes").ToBoolean(),
                            .optimizer = to_optimizer_options(o),
                            .take_turns = o.Get("takeTurns").ToBoolean()};
  auto result = std::make_shared<ModelState>();
  return Task<Nothing>::start(
      info.Env(), state_->queue,
      [state = state_, result, options](Task<Nothing>&) {
        result->model = std::make_unique<Model>(state->engine, options);
        return Nothing{};
      },
      [state = state_, result](Napi::Env env, Nothing&) { return ModelWrap::create(env, state, result); }, [] {});
}

Napi::Value ContextWrap::machine_probe(const Napi::CallbackInfo& info) {
  return MachineProbeWrap::create(info.Env(), state_, info[0].As<Napi::Object>());
}

Napi::Value ContextWrap::linear(const Napi::CallbackInfo& info) {
  return LinearWrap::create(info.Env(), state_, info[0].As<Napi::Object>());
}

// Models keep the context's memory until they are closed; this only waits for what was asked before.
Napi::Value ContextWrap::close(const Napi::CallbackInfo& info) {
  return Task<Nothing>::start(
      info.Env(), state_->queue, [state = state_](Task<Nothing>&) { return Nothing{}; }, undefined, [] {});
}

}  // namespace limr
