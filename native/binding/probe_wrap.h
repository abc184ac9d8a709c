// native/binding/probe_wrap.h - the JS objects that measure: the machine's limits, and single linear layers.
#pragma once
#include "binding/context_wrap.h"
#include "engine/linear_probe.h"
#include "engine/machine_probe.h"

namespace limr {

class MachineProbeWrap : public Napi::ObjectWrap<MachineProbeWrap> {
 public:
  static Napi::FunctionReference define(Napi::Env env);
  // A promise for the object: its memory is touched on the context's thread.
  static Napi::Value create(Napi::Env env, std::shared_ptr<ContextState> context, Napi::Object options);
  explicit MachineProbeWrap(const Napi::CallbackInfo& info);

 private:
  Napi::Value read_bytes(const Napi::CallbackInfo& info);
  Napi::Value measure(const Napi::CallbackInfo& info);
  Napi::Value close(const Napi::CallbackInfo& info);

  std::shared_ptr<ContextState> context_;
  std::shared_ptr<MachineProbe> probe_;  // null once closed; a job under way holds it too
};

class LinearWrap : public Napi::ObjectWrap<LinearWrap> {
 public:
  static Napi::FunctionReference define(Napi::Env env);
  // A promise for the object: the operands are made on the context's thread.
  static Napi::Value create(Napi::Env env, std::shared_ptr<ContextState> context, Napi::Object options);
  explicit LinearWrap(const Napi::CallbackInfo& info);

 private:
  Napi::Value flops(const Napi::CallbackInfo& info);
  Napi::Value bytes(const Napi::CallbackInfo& info);
  Napi::Value time(const Napi::CallbackInfo& info);
  Napi::Value close(const Napi::CallbackInfo& info);

  std::shared_ptr<ContextState> context_;
  LinearCase case_;
  std::shared_ptr<LinearProbe> probe_;  // as above
};

}  // namespace limr
