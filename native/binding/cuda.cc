#include "binding/cuda.h"

#include "binding/task.h"

namespace limr {

cuda::CudaOptions to_cuda_options(const Napi::Object& o) {
  return {.module = text(o, "module"),
          .device = int(integer(o, "device")),
          .cublaslt = texts(o, "cublaslt"),
          .sync = boolean(o, "sync")};
}

OptimizerOptions to_optimizer_options(const Napi::Object& o) {
  const Napi::Value name = o.Get("moments");
  const std::string moments = name.IsString() ? text(o, "moments") : "f32";
  return {.moments = moments == "8bit"   ? MomentFormat::kCode8
                     : moments == "bf16" ? MomentFormat::kBf16
                                         : MomentFormat::kF32,
          .on_host = o.Get("optimizerOnHost").ToBoolean()};
}

namespace {

Napi::Object device_to_js(Napi::Env env, const cuda::DeviceInfo& d) {
  Napi::Object o = Napi::Object::New(env);
  o.Set("name", d.name);
  o.Set("capability", cat(d.major, ".", d.minor));
  o.Set("multiprocessors", d.multiprocessors);
  o.Set("driver", cat(d.driver / 1000, ".", d.driver % 1000 / 10));
  o.Set("runtime", cat(d.runtime / 1000, ".", d.runtime % 1000 / 10));
  o.Set("memoryBytes", double(d.memory_total));
  o.Set("freeBytes", double(d.memory_free));
  return o;
}

Napi::Object problem_to_js(Napi::Env env, const Error& e) {
  Napi::Object o = Napi::Object::New(env);
  o.Set("message", e.message());
  o.Set("hint", e.hint());
  return o;
}

}  // namespace

Napi::Value cuda_probe(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const cuda::CudaOptions options = to_cuda_options(info[0].As<Napi::Object>());
  return guarded(env, [&]() -> Napi::Value {
    const cuda::Table& table = cuda::load_module(options.module);
    Napi::Object out = Napi::Object::New(env);
    Napi::Array devices = Napi::Array::New(env);
    out.Set("architectures", table.architectures);
    out.Set("devices", devices);
    try {
      int count = 0;
      cuda::check(table.device_count(&count));
      for (int i = 0; i < count; ++i) {
        cuda::DeviceInfo device{};
        cuda::check(table.device_info(i, &device));
        devices.Set(uint32_t(i), device_to_js(env, device));
      }
      out.Set("cublaslt", cuda::CudaDevice(options).cublaslt());
    } catch (const Error& e) {
      out.Set("problem", problem_to_js(env, e));
    }
    return out;
  });
}

}  // namespace limr
