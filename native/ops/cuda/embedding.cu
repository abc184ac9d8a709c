// See ops/embedding.h.
#include "ops/cuda/launch.cuh"

namespace limr::cuda {
namespace {

constexpr int kThreads = 128;

// Rows as units of 16, 4 or 2 bytes, whatever their type: out[to[r]] = inp[from[r]]; null = r itself.
template <typename Unit>
struct CopyArgs {
  Unit* out;
  const Unit* inp;
  const int32_t *to, *from;
  int64_t out_stride, inp_stride;  // in units
  int64_t units;                   // of a row
};

template <typename Unit>
__global__ void __launch_bounds__(kThreads) copy_rows_kernel(const __grid_constant__ CopyArgs<Unit> a) {
  const int64_t r = blockIdx.x;
  Unit* out = a.out + (a.to ? int64_t(a.to[r]) : r) * a.out_stride;
  const Unit* inp = a.inp + (a.from ? int64_t(a.from[r]) : r) * a.inp_stride;
  for (int64_t i = threadIdx.x; i < a.units; i += blockDim.x) out[i] = inp[i];
}

struct CopyRows {
  void* out;
  const void* inp;
  const int32_t *to, *from;
  int64_t out_stride, inp_stride, bytes;  // in bytes
  int64_t rows;
};

template <typename Unit>
void copy_rows_as(Stream& s, const CopyRows& c) {
  constexpr int64_t kUnit = sizeof(Unit);
  const CopyArgs<Unit> args{static_cast<Unit*>(c.out),
                            static_cast<const Unit*>(c.inp),
                            c.to,
                            c.from,
                            c.out_stride / kUnit,
                            c.inp_stride / kUnit,
                            c.bytes / kUnit};
  LIMR_LAUNCH((copy_rows_kernel<Unit>), unsigned(c.rows), row_threads(args.units, 1, kThreads), 0, s.queue)(args);
  launched(s, "copy_rows");
}

void copy_rows(Stream& s, const CopyRows& c) {
  if (c.rows == 0 || c.bytes == 0) return;
  const uint64_t all = reinterpret_cast<uintptr_t>(c.out) | reinterpret_cast<uintptr_t>(c.inp) |
                       uint64_t(c.out_stride | c.inp_stride | c.bytes);
  if (all % 16 == 0) return copy_rows_as<uint4>(s, c);
  if (all % 4 == 0) return copy_rows_as<uint32_t>(s, c);
  copy_rows_as<uint16_t>(s, c);
}

struct SumArgs {
  float* dweight;
  const bf16* dout;
  const int32_t* tokens;
  TokenRuns runs;
  int64_t C;
};

// Block (x, y): columns of x of the token of run y. One owner adds its rows up in order, straight onto what is there.
__global__ void __launch_bounds__(kThreads) embedding_backward_kernel(const __grid_constant__ SumArgs a) {
  const int64_t c = int64_t(blockIdx.y) * kThreads + threadIdx.x;
  if (c >= a.C) return;
  const int32_t begin = a.runs.begin[blockIdx.x], end = a.runs.begin[blockIdx.x + 1];
  float* to = a.dweight + a.tokens[a.runs.order[begin]] * a.C + c;
  float sum = *to;
#pragma unroll 8
  for (int32_t i = begin; i < end; ++i) sum += to_float(a.dout[a.runs.order[i] * a.C + c]);
  *to = sum;
}

}  // namespace

void embedding_forward(Stream& s, const EmbeddingForward& o) {
  const int64_t row = o.weight.cols * int64_t(sizeof(bf16));
  copy_rows(s, {.out = o.out.data,
                .inp = o.weight.panels,
                .to = nullptr,
                .from = o.tokens,
                .out_stride = row,
                .inp_stride = row,
                .bytes = row,
                .rows = o.out.rows});
}

void embedding_backward(Stream& s, const EmbeddingBackward& o) {
  const int64_t N = o.dout.rows, C = o.dout.cols;
  if (N == 0) return;
  LIMR_CHECK(o.runs.order && o.runs.begin && o.runs.count > 0, kInternal,
             "embedding_backward: a device needs the rows of each token");
  LIMR_LAUNCH(embedding_backward_kernel, dim3(unsigned(o.runs.count), blocks_for(C, kThreads)), kThreads, 0, s.queue)
  (SumArgs{o.dweight, o.dout.as<bf16>(), o.tokens, o.runs, C});
  launched(s, "embedding_backward");
}

void gather_rows(Stream& s, const GatherRows& o) {
  const int64_t element = dtype_bytes(o.inp.dtype);
  copy_rows(s, {.out = o.out.data,
                .inp = o.inp.data,
                .to = nullptr,
                .from = o.index,
                .out_stride = o.out.stride * element,
                .inp_stride = o.inp.stride * element,
                .bytes = o.inp.cols * element,
                .rows = o.out.rows});
}

void scatter_rows(Stream& s, const ScatterRows& o) {
  const int64_t element = dtype_bytes(o.inp.dtype);
  copy_rows(s, {.out = o.out.data,
                .inp = o.inp.data,
                .to = o.index,
                .from = nullptr,
                .out_stride = o.out.stride * element,
                .inp_stride = o.inp.stride * element,
                .bytes = o.inp.cols * element,
                .rows = o.inp.rows});
}

}  // namespace limr::cuda
