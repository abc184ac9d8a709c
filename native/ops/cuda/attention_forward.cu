#include "ops/cuda/attention.cuh"

namespace limr::cuda {
namespace {

constexpr int kRows = 64, kThreads = kRows * 2;  // a warp 16 rows
// Tiles of keys that are under way while one is worked on; with 256 columns shared memory holds one alone.
template <int kD>
constexpr int kStages = kD <= 128 ? 2 : 1;

struct ForwardArgs {
  AttentionShape shape;
  bf16* out;
  float* lse;
  const bf16* q;
};

// One block: 64 rows of a sequence against its keys. Grid: tiles of rows, the last (the longest) first; kv heads; sequences.
template <int kD>
__global__ void __launch_bounds__(kThreads, kD <= 64 ? 3 : 2)
    attention_forward_kernel(const __grid_constant__ ForwardArgs args) {
  constexpr int kTile = kTileElements<kD, kKeys>;
  LIMR_DYNAMIC_SHARED(bf16, shared);  // q, which stays only with 256 columns; then kStages pairs of keys and values
  bf16* const q_tile = shared;
  bf16* const kv_tiles = kD <= 128 ? shared : shared + kTileElements<kD, kRows>;
  const AttentionShape& a = args.shape;
  const Problem p(a, blockIdx.z, blockIdx.y);
  const int begin = int(gridDim.x - 1 - blockIdx.x) * kRows;
  if (begin >= p.rows) return;

  const int warp = int(threadIdx.x) / kWarp, lane = int(threadIdx.x) % kWarp;
  const int row = begin + warp * 16 + lane / 4;  // and row + 8
  const bool busy = begin + warp * 16 < p.rows;  // in decode one warp is; all of them load
  const int last[2] = {p.position(min(row, p.rows - 1)), p.position(min(row + 8, p.rows - 1))};
  const int tiles = p.position(min(begin + kRows, p.rows) - 1) / kKeys + 1;

  uint32_t q_operand[kD <= 128 ? kD / 16 : 1][4];
  load_rows<kD, kRows, kThreads>(q_tile, args.q, a, p, begin);
  cp_async_commit();
  if constexpr (kD <= 128) {  // into registers, then its place is a key tile's
    cp_async_wait<0>();
    __syncthreads();
#pragma unroll
    for (int step = 0; step < kD / 16; ++step) load_a<kD>(q_operand[step], q_tile, warp * 16, step);
    __syncthreads();
  }
  const auto q_of = [&](int step, uint32_t(&operand)[4]) {
    if constexpr (kD <= 128) {
#pragma unroll
      for (int i = 0; i < 4; ++i) operand[i] = q_operand[step][i];
    } else {
      load_a<kD>(operand, q_tile, warp * 16, step);
    }
  };
  const auto load = [&](int tile) {
    bf16* const to = kv_tiles + tile % kStages<kD> * 2 * kTile;
    load_keys<kD, kThreads>(to, a, p, tile, false);
    load_keys<kD, kThreads>(to + kTile, a, p, tile, true);
  };

  float out[kD / 8][4] = {}, sum[2] = {0, 0}, top[2] = {-INFINITY, -INFINITY};
  const float scale = a.scale * kLog2e;
  if constexpr (kStages < kD >> 1) {
    load(0);
    cp_async_commit();
  }
  for (int tile = 0; tile < tiles; ++tile) {
    if constexpr (kStages < kD >> 1) {
      if (tile + 1 < tiles) load(tile + 1);
      cp_async_commit();  // empty after the last one, so that one group is always to be waited for
      cp_async_wait<1>();
    } else {
      load(tile);
      cp_async_commit();
      cp_async_wait<0>();
    }
    __syncthreads();
    if (busy) {
      const bf16* const keys = kv_tiles + tile % kStages<kD> * 2 * kTile;
      float s[kKeys / 8][4] = {};
      add_times_transposed<kD, kKeys>(s, q_of, keys, 0);
#pragma unroll
      for (int half = 0; half < 2; ++half) {
        const int visible = last[half] - tile * kKeys - lane % 4 * 2;  // keys up to here
        float most = top[half];
#pragma unroll
        for (int n = 0; n < kKeys / 8; ++n) {
#pragma unroll
          for (int i = 0; i < 2; ++i) {
            float& x = s[n][2 * half + i];
            if (n * 8 + i > visible) x = -INFINITY;
            most = fmaxf(most, x);
          }
        }
        most = fmaxf(most, __shfl_xor_sync(~0u, most, 1));
        most = fmaxf(most, __shfl_xor_sync(~0u, most, 2));
        // Of an unchanged maximum the factor must be 1 to the bit, hence two rounded products and not one fused. Key 0 is seen by
        // every row, so `most` is finite.
        const float offset = -(most * scale), factor = exp2_approx(top[half] * scale + offset);
        top[half] = most;
        float add = 0;
#pragma unroll
        for (int n = 0; n < kKeys / 8; ++n) {
#pragma unroll
          for (int i = 0; i < 2; ++i) {
            float& x = s[n][2 * half + i];
            x = exp2_approx(fmaf(x, scale, offset));
            add += x;
          }
        }
        sum[half] = fmaf(sum[half], factor, add);
#pragma unroll
        for (int n = 0; n < kD / 8; ++n) {
          out[n][2 * half] *= factor;
          out[n][2 * half + 1] *= factor;
        }
      }
      add_times<kD, kD, kKeys>(out, s, keys + kTile, 0, 0);
    }
    __syncthreads();
  }

  if (!busy) return;
#pragma unroll
  for (int half = 0; half < 2; ++half) {
    float total = sum[half];
    total += __shfl_xor_sync(~0u, total, 1);
    total += __shfl_xor_sync(~0u, total, 2);
    const int r = row + 8 * half;
    if (r >= p.rows) continue;
    const float inverse = 1.0f / total;
    bf16* const to = args.out + p.token_major(a, r) * a.D + lane % 4 * 2;
#pragma unroll
    for (int n = 0; n < kD / 8; ++n)
      if (n * 8 < a.D)
        *reinterpret_cast<uint32_t*>(to + n * 8) =
            pack_bf16(out[n][2 * half] * inverse, out[n][2 * half + 1] * inverse);
    if (args.lse && lane % 4 == 0) args.lse[p.head_major(a, r)] = fmaf(top[half], a.scale, logf(total));
  }
}

}  // namespace

void attention_forward(Stream& stream, const AttentionForward& o) {
  if (o.num_sequences == 0 || o.longest == 0) return;
  const ForwardArgs args{.shape = shape_of(o.sequences, o.kv, o.q.rows, o.q.cols, o.scale),
                         .out = o.out.as<bf16>(),
                         .lse = o.lse.as<float>(),
                         .q = o.q.as<bf16>()};
  const int64_t rows = o.longest * (args.shape.H / args.shape.K);
  with_head_dim(o.kv.head_dim, [&](auto width) {
    constexpr int kD = decltype(width)::value;
    constexpr size_t kShared =
        sizeof(bf16) * (kStages<kD> * 2 * kTileElements<kD, kKeys> + (kD <= 128 ? 0 : kTileElements<kD, kRows>));
    allow_shared(attention_forward_kernel<kD>, kShared);
    const dim3 grid(blocks_for(rows, kRows), unsigned(args.shape.K), unsigned(o.num_sequences));
    LIMR_LAUNCH((attention_forward_kernel<kD>), grid, kThreads, kShared, stream.queue)(args);
    launched(stream, "attention_forward_kernel");
  });
}

}  // namespace limr::cuda
