// native/ops/cuda/attention.cuh - what the attention kernels share: tiles in shared memory, and products of tiles by a warp.
//
// Rows. The query heads of a kv head are rows of one matrix: row r of a sequence is token r / G, head r % G of the group. So a tile of
// rows is full in prefill and training, and in decode it holds the group. A row's key tiles are the same everywhere: 64 keys, two
// pages, from key 0; a row sees nothing of the other rows, and tiles past its own key change no bit of it (probabilities of 0, a
// factor of 1). So a query's output does not depend on its tile (promise 1).
//
// A tile is kRows rows of kD bf16 in shared memory; head_dim <= kD, columns past it are 0. Rows are 16 bytes apart from each other,
// which puts the eight rows that ldmatrix reads at once into different banks.
#pragma once
#include "ops/attention.h"
#include "ops/cuda/launch.cuh"

namespace limr::cuda {

constexpr int kKeys = 64;  // of a key tile
static_assert(kKeys == 2 * kPageKeys);
constexpr float kLog2e = 1.4426950408889634f, kLn2 = 0.6931471805599453f;

struct AttentionShape {
  const AttentionSequence* sequences;  // on the device, pages too
  const bf16* kv;
  int64_t page_stride;
  int64_t N;
  int H, K, D;
  float scale;
};
inline AttentionShape shape_of(const AttentionSequence* sequences, const KvPages& kv, int64_t rows, int64_t cols,
                               float scale) {
  return {.sequences = sequences,
          .kv = kv.data,
          .page_stride = kv.page_stride,
          .N = rows,
          .H = int(cols / kv.head_dim),
          .K = int(kv.num_kv_heads),
          .D = int(kv.head_dim),
          .scale = scale};
}

// Calls body with the smallest kD that holds head_dim.
template <typename Body>
void with_head_dim(int64_t head_dim, Body&& body) {
  if (head_dim <= 64)
    body(std::integral_constant<int, 64>());
  else if (head_dim <= 128)
    body(std::integral_constant<int, 128>());
  else
    body(std::integral_constant<int, 256>());
}

template <int kD>
constexpr int kPitch = kD + 8;  // elements from row to row
template <int kD, int kRows>
constexpr int kTileElements = kRows * kPitch<kD>;

// One sequence as a block sees it: rows of a group against one kv head.
struct Problem {
  AttentionSequence sequence;
  int group, kv_head, rows, past;  // rows = length * group; token t is at position past + t
  __device__ Problem(const AttentionShape& a, unsigned index, unsigned kv_head)
      : sequence(a.sequences[index]),
        group(a.H / a.K),
        kv_head(int(kv_head)),
        rows(sequence.length * group),
        past(sequence.context - sequence.length) {}
  __device__ int position(int row) const { return past + row / group; }
  // Index of the row in [N, H] and in [H, N].
  __device__ int64_t token_major(const AttentionShape& a, int row) const {
    return (sequence.begin + row / group) * a.H + kv_head * group + row % group;
  }
  __device__ int64_t head_major(const AttentionShape& a, int row) const {
    return int64_t(kv_head * group + row % group) * a.N + sequence.begin + row / group;
  }
};

// Queues copies of rows [begin, begin + kRows) of a [N, H*D] matrix; rows past the sequence's are zeros.
template <int kD, int kRows, int kThreads>
__device__ __forceinline__ void load_rows(bf16* tile, const bf16* from, const AttentionShape& a, const Problem& p,
                                          int begin) {
  constexpr int kChunks = kD / kVector;
#pragma unroll
  for (int i = int(threadIdx.x); i < kRows * kChunks; i += kThreads) {
    const int row = i / kChunks, chunk = i % kChunks;
    const bool copy = begin + row < p.rows && chunk * kVector < a.D;
    const bf16* source = copy ? from + p.token_major(a, begin + row) * a.D + chunk * kVector : from;
    cp_async_16(tile + row * kPitch<kD> + chunk * kVector, source, copy);
  }
}

// Queues copies of keys [64 index, 64 index + 64), or of their values; those past the context are zeros.
template <int kD, int kThreads>
__device__ __forceinline__ void load_keys(bf16* tile, const AttentionShape& a, const Problem& p, int index,
                                          bool values) {
  constexpr int kChunks = kD / kVector;
  const int64_t page_elements = int64_t(kPageKeys) * a.D, head = (2 * p.kv_head + int(values)) * page_elements;
#pragma unroll
  for (int i = int(threadIdx.x); i < kKeys * kChunks; i += kThreads) {
    const int row = i / kChunks, chunk = i % kChunks, key = index * kKeys + row;
    const bool copy = key < p.sequence.context && chunk * kVector < a.D;
    const bf16* source = a.kv;
    if (copy)
      source += p.sequence.pages[key / kPageKeys] * a.page_stride + head + key % kPageKeys * a.D + chunk * kVector;
    cp_async_16(tile + row * kPitch<kD> + chunk * kVector, source, copy);
  }
}

// Operand a of mma: rows [row, row + 16), columns [16 step, 16 step + 16) of a tile.
template <int kD>
__device__ __forceinline__ void load_a(uint32_t (&a)[4], const bf16* tile, int row, int step) {
  const int lane = int(threadIdx.x) % kWarp;
  ldmatrix_x4(a, tile + (row + lane % 16) * kPitch<kD> + step * 16 + lane / 16 * 8);
}

// out[16, kCols] += a[16, kD] . rows [begin, begin + kCols) of a tile, transposed. The operand of step s comes from a_of(s, a).
template <int kD, int kCols, typename Operand>
__device__ __forceinline__ void add_times_transposed(float (&out)[kCols / 8][4], Operand&& a_of, const bf16* tile,
                                                     int begin) {
  const int lane = int(threadIdx.x) % kWarp, matrix = lane / 8;
  const bf16* at = tile + (begin + matrix / 2 * 8 + lane % 8) * kPitch<kD> + matrix % 2 * 8;
#pragma unroll
  for (int step = 0; step < kD / 16; ++step) {
    uint32_t a[4];
    a_of(step, a);
#pragma unroll
    for (int n = 0; n < kCols / 16; ++n) {
      uint32_t b[4];
      ldmatrix_x4(b, at + n * 16 * kPitch<kD> + step * 16);
      const uint32_t low[2] = {b[0], b[1]}, high[2] = {b[2], b[3]};
      mma_bf16(out[2 * n], a, low);
      mma_bf16(out[2 * n + 1], a, high);
    }
  }
}

// out[16, kCols] += a[16, kDepth] . rows [begin, begin + kDepth), columns [col, col + kCols) of a tile. `a` is in accumulator layout,
// a column pair of 8 columns each, and is rounded to bf16.
template <int kD, int kCols, int kDepth>
__device__ __forceinline__ void add_times(float (&out)[kCols / 8][4], const float (&a)[kDepth / 8][4], const bf16* tile,
                                          int begin, int col) {
  const int lane = int(threadIdx.x) % kWarp, matrix = lane / 8;
  const bf16* at = tile + (begin + matrix % 2 * 8 + lane % 8) * kPitch<kD> + col + matrix / 2 * 8;
#pragma unroll
  for (int step = 0; step < kDepth / 16; ++step) {
    const float(&left)[4] = a[2 * step], (&right)[4] = a[2 * step + 1];
    const uint32_t operand[4] = {pack_bf16(left[0], left[1]), pack_bf16(left[2], left[3]),
                                 pack_bf16(right[0], right[1]), pack_bf16(right[2], right[3])};
#pragma unroll
    for (int n = 0; n < kCols / 16; ++n) {
      uint32_t b[4];
      ldmatrix_x4_trans(b, at + step * 16 * kPitch<kD> + n * 16);
      const uint32_t low[2] = {b[0], b[1]}, high[2] = {b[2], b[3]};
      mma_bf16(out[2 * n], operand, low);
      mma_bf16(out[2 * n + 1], operand, high);
    }
  }
}

// Lets a kernel have this much dynamic shared memory.
template <typename Kernel>
void allow_shared(Kernel* kernel, size_t bytes) {
  LIMR_CUDA_CHECK(cudaFuncSetAttribute(kernel, cudaFuncAttributeMaxDynamicSharedMemorySize, int(bytes)));
}

}  // namespace limr::cuda
