#include "ops/cuda/table.h"

#include <algorithm>
#include <cstring>
#include <exception>

#include "core/error.h"
#include "ops/cuda/device.h"

namespace limr::cuda {
namespace {

// Of the last call that failed on this thread. Plain bytes: what is thread-local here has no destructor.
struct LastFailure {
  Failure failure;
  char message[1024], hint[512];
};
thread_local LastFailure last;

template <size_t kSize>
void copy_text(char (&to)[kSize], const char* from) {
  const size_t n = std::min(std::strlen(from), kSize - 1);
  std::memcpy(to, from, n);
  to[n] = 0;
}

const Failure* fail(Code code, const char* message, const char* hint) {
  copy_text(last.message, message);
  copy_text(last.hint, hint);
  last.failure = {code, last.message, last.hint};
  return &last.failure;
}

template <class Body>
const Failure* guarded(Body&& body) noexcept {
  try {
    body();
    return nullptr;
  } catch (const Error& e) {
    return fail(e.code(), e.message().c_str(), e.hint().c_str());
  } catch (const std::exception& e) {
    return fail(Code::kInternal, e.what(), "");
  }
}

template <class Op, void (*kLauncher)(Stream&, const Op&)>
const Failure* op(Stream* s, const Op& o) {
  return guarded([&] {
    LIMR_CUDA_CHECK(cudaSetDevice(s->device));
    kLauncher(*s, o);
  });
}

// A function of device.h whose first argument is the stream.
template <auto kFunction, class... A>
const Failure* on(Stream* s, A... a) {
  return guarded([&] {
    LIMR_CUDA_CHECK(cudaSetDevice(s->device));
    kFunction(s, a...);
  });
}

#define LIMR_TEXT_OF(...) #__VA_ARGS__
#define LIMR_TEXT(...) LIMR_TEXT_OF(__VA_ARGS__)

constexpr Table kTable{
    .version = kTableVersion,
    .bytes = sizeof(Table),
    .architectures = LIMR_TEXT(__CUDA_ARCH_LIST__),
    .device_count = [](int* count) { return guarded([&] { device_count(count); }); },
    .device_info = [](int device, DeviceInfo* info) { return guarded([&] { device_info(device, info); }); },
    .open = [](const OpenOptions& o, Stream** stream) { return guarded([&] { open(o, stream); }); },
    .open_copies = [](Stream* beside, Stream** stream) { return guarded([&] { open_copies(beside, stream); }); },
    .close = close,
    .cublaslt_path = [](Stream* s) { return s->plans->library().path.c_str(); },
    .alloc = on<alloc, size_t, void**>,
    .free = on<free, void*>,
    .alloc_pinned = on<alloc_pinned, size_t, void**>,
    .free_pinned = on<free_pinned, void*>,
    .memory = on<memory, int64_t*, int64_t*>,
    .copy_in = on<copy_in, void*, const void*, size_t>,
    .copy_out = on<copy_out, void*, const void*, size_t>,
    .copy_within = on<copy_within, void*, const void*, size_t>,
    .zero = on<zero, void*, size_t>,
    .synchronize = on<synchronize>,
    .event = on<make_event, Event**>,
    .free_event =
        [](Event* e) {
          cudaEventDestroy(e->event);
          delete e;
        },
    .record = on<record, Event*>,
    .wait = on<wait, Event*>,
    .begin_capture = on<begin_capture>,
    .end_capture = on<end_capture, void**>,
    .launch_graph = on<launch_graph, void*>,
    .free_graph = [](void* graph) { cudaGraphExecDestroy(static_cast<cudaGraphExec_t>(graph)); },
    .rmsnorm_forward = op<RmsNormForward, rmsnorm_forward>,
    .rmsnorm_backward = op<RmsNormBackward, rmsnorm_backward>,
    .linear_forward = op<LinearForward, linear_forward>,
    .linear_backward_input = op<LinearBackwardInput, linear_backward_input>,
    .linear_backward_weight = op<LinearBackwardWeight, linear_backward_weight>,
    .swiglu_forward = op<SwigluForward, swiglu_forward>,
    .swiglu_backward = op<SwigluBackward, swiglu_backward>,
    .rope_forward = op<RopeForward, rope_forward>,
    .rope_backward = op<RopeBackward, rope_backward>,
    .attention_forward = op<AttentionForward, attention_forward>,
    .attention_backward = op<AttentionBackward, attention_backward>,
    .embedding_forward = op<EmbeddingForward, embedding_forward>,
    .embedding_backward = op<EmbeddingBackward, embedding_backward>,
    .gather_rows = op<GatherRows, gather_rows>,
    .scatter_rows = op<ScatterRows, scatter_rows>,
    .logprob_forward = op<LogprobForward, logprob_forward>,
    .logprob_backward = op<LogprobBackward, logprob_backward>,
    .loss_forward = op<LossForward, loss_forward>,
    .value_forward = op<ValueForward, value_forward>,
    .value_backward = op<ValueBackward, value_backward>,
    .sample_forward = op<SampleForward, sample_forward>,
    .adamw = op<AdamW, adamw>,
    .sum_squares = op<SumSquares, sum_squares>,
};

}  // namespace
}  // namespace limr::cuda

extern "C" __attribute__((visibility("default"))) const limr::cuda::Table* limr_cuda_table() {
  return &limr::cuda::kTable;
}
