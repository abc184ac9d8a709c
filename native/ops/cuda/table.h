// native/ops/cuda/table.h - what limr_cuda.so exports: functions for memory and for every op. The only header that the core and the
// module share, beside the contracts of the ops themselves. The module links nothing of the core but core/error.
//
// Pointers inside op structs are device pointers where ops/<op>.h does not say otherwise; shapes were checked by ops/<op>.cc. Every
// function selects the stream's device by itself and may be called from any thread; ops come from one thread at a time.
//
// Layouts on a device. A weight [N, K] is row-major with row stride K; its rows, padded with zeros to a multiple of 32, take as many
// elements as the CPU's panels, so offsets and counts are the CPU's (gate-up order of rows included); gradients, remainders and moments
// likewise. A page of one kv head: keys [32][D], then values [32][D], bf16, not initialized past the context. Everything else as
// ops/*.h has it. Alignment: weights 128 bytes, their gradients 256, activations 64; rows of any matrix as their stride allows.
#pragma once
#include "core/error.h"
#include "ops/adamw.h"
#include "ops/attention.h"
#include "ops/embedding.h"
#include "ops/logprob.h"
#include "ops/loss.h"
#include "ops/matmul.h"
#include "ops/rmsnorm.h"
#include "ops/rope.h"
#include "ops/sample.h"
#include "ops/value.h"

namespace limr::cuda {

constexpr uint32_t kTableVersion = 2;  // of this header; one build makes both sides

struct Stream;  // a device, a CUDA stream on it and a cublasLt handle; opaque to the core
struct Event;   // a point in a stream's queue

// What went wrong, as the core's Error has it. Belongs to the calling thread until its next call.
struct Failure {
  Code code;
  const char* message;
  const char* hint;
};

// Null = queued without error. Nothing is thrown across the module's border.
template <class Op>
using Call = const Failure* (*)(Stream*, const Op&);

struct DeviceInfo {
  char name[256];
  int major, minor;  // compute capability
  int multiprocessors;
  int driver, runtime;  // as CUDA counts: 13020 = 13.2
  int64_t memory_total, memory_free;
};

struct OpenOptions {
  int device = 0;
  const char* const* cublaslt = nullptr;  // files or sonames of cublasLt, tried in order
  int num_cublaslt = 0;
  bool sync = false;  // wait after every launch, so that a failure names its op (LIMR_SYNC=1)
};

struct Table {
  uint32_t version;           // kTableVersion
  uint32_t bytes;             // sizeof(Table)
  const char* architectures;  // what the kernels were compiled for, as nvcc lists it: "800,900"

  // Devices. kPlatform without a driver, without a device, without cublasLt (every file tried and the loader's words).
  const Failure* (*device_count)(int* count);
  const Failure* (*device_info)(int device, DeviceInfo* info);
  const Failure* (*open)(const OpenOptions&, Stream** stream);
  // A second queue on the same device, for copies beside the ops of the first.
  const Failure* (*open_copies)(Stream* beside, Stream** stream);
  void (*close)(Stream*);  // waits
  const char* (*cublaslt_path)(Stream*);

  // Memory. Not initialized; free and free_pinned wait.
  const Failure* (*alloc)(Stream*, size_t bytes, void** data);  // kMemory
  const Failure* (*free)(Stream*, void* data);
  const Failure* (*alloc_pinned)(Stream*, size_t bytes, void** data);
  const Failure* (*free_pinned)(Stream*, void* data);
  const Failure* (*memory)(Stream*, int64_t* total, int64_t* free);

  // Queued. copy_in: a pageable source may change after the call, a pinned one after the copy. copy_out returns at once with pinned
  // memory, which is filled after synchronize or an event; with pageable memory it returns when it is filled.
  const Failure* (*copy_in)(Stream*, void* dest, const void* source, size_t bytes);
  const Failure* (*copy_out)(Stream*, void* dest, const void* source, size_t bytes);
  const Failure* (*copy_within)(Stream*, void* dest, const void* source, size_t bytes);
  const Failure* (*zero)(Stream*, void* dest, size_t bytes);
  const Failure* (*synchronize)(Stream*);

  // Order between streams: `wait` queues a wait for what was queued before `record`.
  const Failure* (*event)(Stream*, Event** event);
  void (*free_event)(Event*);
  const Failure* (*record)(Stream*, Event*);
  const Failure* (*wait)(Stream*, Event*);

  // Graphs: what is queued between begin and end is recorded instead of run, then launched as one.
  const Failure* (*begin_capture)(Stream*);
  const Failure* (*end_capture)(Stream*, void** graph);
  const Failure* (*launch_graph)(Stream*, void* graph);
  void (*free_graph)(void* graph);

  Call<RmsNormForward> rmsnorm_forward;
  Call<RmsNormBackward> rmsnorm_backward;
  Call<LinearForward> linear_forward;
  Call<LinearBackwardInput> linear_backward_input;
  Call<LinearBackwardWeight> linear_backward_weight;
  Call<SwigluForward> swiglu_forward;
  Call<SwigluBackward> swiglu_backward;
  Call<RopeForward> rope_forward;
  Call<RopeBackward> rope_backward;
  Call<AttentionForward> attention_forward;
  Call<AttentionBackward> attention_backward;
  Call<EmbeddingForward> embedding_forward;
  Call<EmbeddingBackward> embedding_backward;
  Call<GatherRows> gather_rows;
  Call<ScatterRows> scatter_rows;
  Call<LogprobForward> logprob_forward;
  Call<LogprobBackward> logprob_backward;
  Call<LossForward> loss_forward;
  Call<ValueForward> value_forward;
  Call<ValueBackward> value_backward;
  Call<SampleForward> sample_forward;
  Call<AdamW> adamw;
  Call<SumSquares> sum_squares;  // the total goes to partial[ceil(n / kSumBlock)]
};

}  // namespace limr::cuda

// The module's only exported symbol.
extern "C" const limr::cuda::Table* limr_cuda_table();
