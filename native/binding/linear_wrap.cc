#include "binding/linear_wrap.h"

namespace limr {
namespace {

struct Parts {
  std::shared_ptr<ContextState> context;
  LinearCase c;
  std::shared_ptr<LinearProbe> probe;
};

}  // namespace

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
  return Task<Parts>::start(
      env, context->queue,
      [context, c](Task<Parts>&) {
        return Parts{context, c, std::make_shared<LinearProbe>(context->engine.context(nullptr), c)};
      },
      [](Napi::Env env, Parts& parts) {
        const auto holder = Napi::External<Parts>::New(env, &parts);
        return env.GetInstanceData<AddonClasses>()->linear.New({holder});
      },
      [] {});
}

LinearWrap::LinearWrap(const Napi::CallbackInfo& info) : ObjectWrap(info) {
  const Parts& parts = *info[0].As<Napi::External<Parts>>().Data();
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
