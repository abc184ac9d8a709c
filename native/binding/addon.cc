// native/binding/addon.cc - the addon's own functions. The contract is src/native.ts.
#include "binding/context_wrap.h"
#include "binding/cuda.h"
#include "binding/probe_wrap.h"
#include "core/machine.h"
#include "engine/rollout/generate.h"
#include "ops/cpu/table.h"

namespace limr {
namespace {

Napi::Value machine(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  Napi::Object o = Napi::Object::New(env);
  Napi::Array isas = Napi::Array::New(env);
  for (const cpu::Table* t : cpu::runnable()) isas.Set(isas.Length(), Napi::String::New(env, t->isa));
  o.Set("version", LIMR_VERSION);
  o.Set("compiler", cat("g++ ", __VERSION__));
  o.Set("isas", isas);
  o.Set("cpus", available_cpus());
  o.Set("memoryBytes", double(available_memory()));
  return o;
}

Napi::Value error_codes(const Napi::CallbackInfo& info) {
  Napi::Array codes = Napi::Array::New(info.Env());
#define LIMR_X(name) codes.Set(codes.Length(), code_name(Code::k##name));
  LIMR_ERROR_CODES(LIMR_X)
#undef LIMR_X
  return codes;
}

Napi::Value plan(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const auto o = info[0].As<Napi::Object>();
  return guarded(env, [&]() -> Napi::Value {
    const ModelConfig config = load_model_config(text(o, "dir"));
    const Head head = text(o, "head") == "value" ? Head::kValue : Head::kLm;
    const bool cuda = o.Get("device").IsString() && text(o, "device") == "cuda";
    const Target target{cuda ? DeviceKind::kCuda : DeviceKind::kCpu, int(integer(o, "threads"))};
    const Weights weights(config, head);  // address space only: nothing is read or touched
    const Rope rope(config, 1);
    const Transformer transformer(config, weights, rope, target);
    const bool trainable = boolean(o, "trainable"), checkpointing = boolean(o, "activationCheckpointing");
    const OptimizerOptions optimizer = to_optimizer_options(o);
    LIMR_CHECK(cuda || (optimizer.moments == MomentFormat::kF32 && !optimizer.on_host), kUnsupported,
               "the CPU keeps its optimizer state in f32, in its own memory", "Use --optimizer-moments f32.");
    const WeightTable& table = weights.table();
    const OptimizerState::Bytes state = trainable ? OptimizerState::bytes(table, optimizer) : OptimizerState::Bytes{};
    const int64_t sequences = integer(o, "maxSequences"), context = integer(o, "contextLength");
    const int64_t train = integer(o, "trainTokens"), score = integer(o, "scoreTokens"), batch = integer(o, "maxBatch");
    int64_t pages = pages_for(batch, context);
    if (const int64_t bytes = integer(o, "kvCacheBytes"); bytes > 0)
      pages = std::min(pages, bytes / KvCache::page_bytes(config));
    size_t train_workspace = 0;
    if (train > 0)
      train_workspace = std::max(train_bytes(transformer, head,
                                             {.tokens = train,
                                              .sequences = std::min(train, sequences),
                                              .predicted = train,
                                              .longest = std::min(train, std::max<int64_t>(context, 1))},
                                             checkpointing),
                                 OptimizerState::update_bytes(table, optimizer));
    Napi::Object out = Napi::Object::New(env);
    out.Set("weightBytes", double(weights.bytes()));
    out.Set("gradientBytes", trainable ? double(TrainState::gradient_bytes(table)) : 0.0);
    out.Set("optimizerBytes", double(state.device));
    out.Set("optimizerHostBytes", double(state.host));
    out.Set("trainBytes", double(train_workspace));
    out.Set("scoreBytes", score > 0 ? double(score_bytes(transformer, head, score, std::min(score, sequences))) : 0.0);
    out.Set("generateBytes",
            batch > 0 ? double(generate_bytes(transformer, batch, integer(o, "prefillChunk"), pages, context)) : 0.0);
    out.Set("overheadBytes", cuda ? double(cuda::kDeviceOverhead) : 0.0);
    out.Set("numParameters", double(weights.table().num_parameters));
    return out;
  });
}

Napi::Value create_context(const Napi::CallbackInfo& info) {
  return ContextWrap::create(info.Env(), info[0].As<Napi::Object>());
}

Napi::Object init(Napi::Env env, Napi::Object exports) {
  auto* classes = new AddonClasses{ContextWrap::define(env), ModelWrap::define(env), MachineProbeWrap::define(env),
                                   LinearWrap::define(env)};
  env.SetInstanceData(classes);
  exports.Set("machine", Napi::Function::New(env, machine));
  exports.Set("errorCodes", Napi::Function::New(env, error_codes));
  exports.Set("plan", Napi::Function::New(env, plan));
  exports.Set("cudaProbe", Napi::Function::New(env, cuda_probe));
  exports.Set("createContext", Napi::Function::New(env, create_context));
  return exports;
}

NODE_API_MODULE(limr, init)

}  // namespace
}  // namespace limr
