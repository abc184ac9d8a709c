#include "binding/probe_wrap.h"

namespace limr {
namespace {

struct MachineParts {
  std::shared_ptr<ContextState> context;
  std::shared_ptr<MachineProbe> probe;
};

struct LinearParts {
  std::shared_ptr<ContextState> context;
  LinearCase c;
  std::shared_ptr<LinearProbe> probe;
};

struct MachineRates {
  ProbeRate flops, read_bytes;
};

Napi::Object rate_to_js(Napi::Env env, const ProbeRate& rate) {
  Napi::Object o = Napi::Object::New(env);
  o.Set("best", rate.best);
  o.Set("median", rate.median);
  return o;
}

Napi::Value rates_to_js(Napi::Env env, MachineRates& rates) {
  Napi::Object o = Napi::Object::New(env);
  o.Set("flops", rate_to_js(env, rates.flops));
  o.Set("readBytes", rate_to_js(env, rates.read_bytes));
  return o;
}

}  // namespace

Napi::FunctionReference MachineProbeWrap::define(Napi::Env env) {
  using W = MachineProbeWrap;
  return Napi::Persistent(DefineClass(env, "NativeMachineProbe",
                                      {InstanceAccessor<&W::read_bytes>("readBytes"),
                                       InstanceMethod<&W::measure>("measure"), InstanceMethod<&W::close>("close")}));
}

Napi::Value MachineProbeWrap::create(Napi::Env env, std::shared_ptr<ContextState> context, Napi::Object o) {
  const int64_t bytes = integer(o, "readBytes");
  return Task<MachineParts>::start(
      env, context->queue,
      [context, bytes](Task<MachineParts>&) {
        return MachineParts{context, std::make_shared<MachineProbe>(context->engine.context(nullptr), bytes)};
      },
      [](Napi::Env env, MachineParts& parts) {
        const auto holder = Napi::External<MachineParts>::New(env, &parts);
        return env.GetInstanceData<AddonClasses>()->machine_probe.New({holder});
      },
      [] {});
}

MachineProbeWrap::MachineProbeWrap(const Napi::CallbackInfo& info) : ObjectWrap(info) {
  const MachineParts& parts = *info[0].As<Napi::External<MachineParts>>().Data();
  context_ = parts.context, probe_ = parts.probe;
}

Napi::Value MachineProbeWrap::read_bytes(const Napi::CallbackInfo& info) {
  return Napi::Number::New(info.Env(), probe_ ? double(probe_->read_bytes()) : 0.0);
}

Napi::Value MachineProbeWrap::measure(const Napi::CallbackInfo& info) {
  const double seconds = info[0].As<Napi::Number>().DoubleValue();
  guarded(info.Env(), [&] { LIMR_CHECK(probe_, kState, "the probe of the machine is closed"); });
  return Task<MachineRates>::start(
      info.Env(), context_->queue,
      [context = context_, probe = probe_, seconds](Task<MachineRates>&) {
        const Context ctx = context->engine.context(nullptr);
        return MachineRates{probe->flops(ctx, seconds), probe->read(ctx, seconds)};
      },
      rates_to_js, [] {});
}

Napi::Value MachineProbeWrap::close(const Napi::CallbackInfo& info) {
  probe_.reset();
  return info.Env().Undefined();
}

Napi::FunctionReference LinearWrap::define(Napi::Env env) {
  using W = LinearWrap;
  return Napi::Persistent(DefineClass(env, "NativeLinear",
                                      {InstanceAccessor<&W::flops>("flops"), InstanceAccessor<&W::bytes>("bytes"),
                                       InstanceMethod<&W::time>("time"), InstanceMethod<&W::close>("close")}));
}

Napi::Value LinearWrap::create(Napi::Env env, std::shared_ptr<ContextState> context, Napi::Object o) {
  const LinearCase c{.op = guarded(env, [&] { return linear_op(text(o, "op")); }),
                     .M = integer(o, "tokens"),
                     .N = integer(o, "outputs"),
                     .K = integer(o, "inputs"),
                     .rotate_bytes = integer(o, "rotateBytes")};
  return Task<LinearParts>::start(
      env, context->queue,
      [context, c](Task<LinearParts>&) {
        return LinearParts{context, c, std::make_shared<LinearProbe>(context->engine.context(nullptr), c)};
      },
      [](Napi::Env env, LinearParts& parts) {
        const auto holder = Napi::External<LinearParts>::New(env, &parts);
        return env.GetInstanceData<AddonClasses>()->linear.New({holder});
      },
      [] {});
}

LinearWrap::LinearWrap(const Napi::CallbackInfo& info) : ObjectWrap(info) {
  const LinearParts& parts = *info[0].As<Napi::External<LinearParts>>().Data();
  context_ = parts.context, case_ = parts.c, probe_ = parts.probe;
}

Napi::Value LinearWrap::flops(const Napi::CallbackInfo& info) { return Napi::Number::New(info.Env(), case_.flops()); }
Napi::Value LinearWrap::bytes(const Napi::CallbackInfo& info) { return Napi::Number::New(info.Env(), case_.bytes()); }

Napi::Value LinearWrap::time(const Napi::CallbackInfo& info) {
  const double at_least = info[0].As<Napi::Number>().DoubleValue();
  guarded(info.Env(), [&] { LIMR_CHECK(probe_, kState, "the linear layer is closed"); });
  return Task<double>::start(
      info.Env(), context_->queue,
      [context = context_, probe = probe_, at_least](Task<double>&) {
        return probe->time(context->engine.context(nullptr), at_least);
      },
      [](Napi::Env env, double& seconds) { return Napi::Number::New(env, seconds); }, [] {});
}

Napi::Value LinearWrap::close(const Napi::CallbackInfo& info) {
  probe_.reset();
  return info.Env().Undefined();
}

}  // namespace limr
