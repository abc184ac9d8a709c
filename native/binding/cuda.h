// native/binding/cuda.h - what JS says about GPUs, and what it is told.
#pragma once
#include "binding/convert.h"
#include "engine/update/optimizer.h"
#include "ops/cuda_device.h"

namespace limr {

// {module, device, cublaslt, sync} of src/native.ts.
cuda::CudaOptions to_cuda_options(const Napi::Object& o);
// {moments, optimizerOnHost} of src/native.ts.
OptimizerOptions to_optimizer_options(const Napi::Object& o);
// cudaProbe(options): what the module finds. Throws LIMR_PLATFORM when it does not load.
Napi::Value cuda_probe(const Napi::CallbackInfo& info);

}  // namespace limr
