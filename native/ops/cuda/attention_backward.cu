// Three kernels, no atomics: delta; dq, a block a tile of rows, as in the forward pass; dk and dv, a block a tile of keys, which goes
// over all rows (tokens and query heads of the group) that see it, in order.
#include "ops/cuda/attention.cuh"

namespace limr::cuda {
namespace {

constexpr int kRows = 64, kThreads = kRows * 2;  // of dq: a warp 16 rows
constexpr int kHalf = kKeys / 2;                 // keys worked on at once, for the sake of registers

struct BackwardArgs {
  AttentionShape shape;
  float *dq, *dk, *dv;
  float* delta;  // [H, N]
  const bf16 *dout, *out, *q;
  const float* lse;
};

// delta[h,n] = dot(dout, out). A warp a row of D, lanes in turn, then the butterfly.
__global__ void __launch_bounds__(256) attention_delta(const __grid_constant__ BackwardArgs args) {
  const AttentionShape& a = args.shape;
  const int64_t i = (int64_t(blockIdx.x) * blockDim.x + threadIdx.x) / kWarp;  // n * H + h
  if (i >= a.N * a.H) return;
  const bf16 *x = args.dout + i * a.D, *y = args.out + i * a.D;
  float sum = 0;
  for (int d = int(threadIdx.x) % kWarp * 2; d < a.D; d += 2 * kWarp) {
    const uint32_t u = *reinterpret_cast<const uint32_t*>(x + d), v = *reinterpret_cast<const uint32_t*>(y + d);
    sum = fmaf(__uint_as_float(u << 16), __uint_as_float(v << 16), sum);
    sum = fmaf(__uint_as_float(u & 0xffff0000u), __uint_as_float(v & 0xffff0000u), sum);
  }
  sum = warp_sum(sum);
  if (threadIdx.x % kWarp == 0) args.delta[i % a.H * a.N + i / a.H] = sum;
}

// One block: dq of 64 rows. Grid as in the forward pass.
template <int kD>
__global__ void __launch_bounds__(kThreads, kD <= 128 ? 2 : 1) attention_dq(const __grid_constant__ BackwardArgs args) {
  constexpr int kTile = kTileElements<kD, kKeys>;
  LIMR_DYNAMIC_SHARED(bf16, shared);
  bf16 *const q_tile = shared, *const dout_tile = q_tile + kTileElements<kD, kRows>;
  bf16 *const keys = dout_tile + kTileElements<kD, kRows>, *const values = keys + kTile;
  const AttentionShape& a = args.shape;
  const Problem p(a, blockIdx.z, blockIdx.y);
  const int begin = int(gridDim.x - 1 - blockIdx.x) * kRows;
  if (begin >= p.rows) return;

  const int warp = int(threadIdx.x) / kWarp, lane = int(threadIdx.x) % kWarp;
  const int row = begin + warp * 16 + lane / 4;  // and row + 8
  const bool busy = begin + warp * 16 < p.rows;
  const int tiles = p.position(min(begin + kRows, p.rows) - 1) / kKeys + 1;
  int last[2];
  float lse[2], delta[2];
#pragma unroll
  for (int half = 0; half < 2; ++half) {
    const int r = min(row + 8 * half, p.rows - 1);
    last[half] = p.position(r);
    lse[half] = args.lse[p.head_major(a, r)] * kLog2e;
    delta[half] = args.delta[p.head_major(a, r)];
  }
  load_rows<kD, kRows, kThreads>(q_tile, args.q, a, p, begin);
  load_rows<kD, kRows, kThreads>(dout_tile, args.dout, a, p, begin);

  float dq[kD / 8][4] = {};
  const float scale = a.scale * kLog2e;
  for (int tile = 0; tile < tiles; ++tile) {
    load_keys<kD, kThreads>(keys, a, p, tile, false);
    load_keys<kD, kThreads>(values, a, p, tile, true);
    cp_async_commit();
    cp_async_wait<0>();
    __syncthreads();
    if (busy) {
#pragma unroll 1
      for (int first = 0; first < kKeys; first += kHalf) {
        float s[kHalf / 8][4] = {}, ds[kHalf / 8][4] = {};
        add_times_transposed<kD, kHalf>(
            s, [&](int step, uint32_t(&x)[4]) { load_a<kD>(x, q_tile, warp * 16, step); }, keys, first);
        add_times_transposed<kD, kHalf>(
            ds, [&](int step, uint32_t(&x)[4]) { load_a<kD>(x, dout_tile, warp * 16, step); }, values, first);
#pragma unroll
        for (int n = 0; n < kHalf / 8; ++n) {
#pragma unroll
          for (int i = 0; i < 4; ++i) {
            const int half = i / 2, key = tile * kKeys + first + n * 8 + lane % 4 * 2 + i % 2;
            const float prob = key > last[half] ? 0.0f : exp2_approx(fmaf(s[n][i], scale, -lse[half]));
            ds[n][i] = prob * (ds[n][i] - delta[half]);
          }
        }
        add_times<kD, kD, kHalf>(dq, ds, keys, first, 0);
      }
    }
    __syncthreads();
  }

#pragma unroll
  for (int half = 0; half < 2; ++half) {
    const int r = row + 8 * half;
    if (r >= p.rows) continue;
    float* const to = args.dq + p.token_major(a, r) * a.D + lane % 4 * 2;
#pragma unroll
    for (int n = 0; n < kD / 8; ++n)
      if (n * 8 < a.D)
        *reinterpret_cast<float2*>(to + n * 8) = make_float2(dq[n][2 * half] * a.scale, dq[n][2 * half + 1] * a.scale);
  }
}

// Of dk and dv: a warp has 16 keys and, with 256 columns, half of them.
template <int kD>
constexpr int kColumns = kD <= 128 ? kD : kD / 2;
template <int kD>
constexpr int kKeyThreads = kKeys * 2 * (kD / kColumns<kD>);
template <int kD>
constexpr int kTileRows = kD <= 64 ? 64 : 32;  // rows worked on at once, for the sake of registers

// One block: dk and dv of 64 keys. Grid: tiles of keys, the first (seen by most rows) first; kv heads; sequences.
template <int kD>
__global__ void __launch_bounds__(kKeyThreads<kD>, kD <= 128 ? 2 : 1)
    attention_dkv(const __grid_constant__ BackwardArgs args) {
  constexpr int kR = kTileRows<kD>, kC = kColumns<kD>, kT = kKeyThreads<kD>, kTile = kTileElements<kD, kKeys>;
  LIMR_DYNAMIC_SHARED(bf16, shared);
  bf16 *const keys = shared, *const values = keys + kTile;
  bf16 *const q_tile = values + kTile, *const dout_tile = q_tile + kTileElements<kD, kR>;
  __shared__ float lse[kR], delta[kR];
  __shared__ int position[kR];
  const AttentionShape& a = args.shape;
  const Problem p(a, blockIdx.z, blockIdx.y);
  const int tile = int(blockIdx.x);
  if (tile * kKeys >= p.sequence.length) return;

  const int warp = int(threadIdx.x) / kWarp, lane = int(threadIdx.x) % kWarp;
  const int key_row = warp % 4 * 16, column = warp / 4 * kC;
  const int key = tile * kKeys + key_row + lane / 4;  // and key + 8
  load_keys<kD, kT>(keys, a, p, tile, false);
  load_keys<kD, kT>(values, a, p, tile, true);

  float dk[kC / 8][4] = {}, dv[kC / 8][4] = {};
  const float scale = a.scale * kLog2e;
  for (int begin = tile * kKeys * p.group / kR * kR; begin < p.rows; begin += kR) {
    load_rows<kD, kR, kT>(q_tile, args.q, a, p, begin);
    load_rows<kD, kR, kT>(dout_tile, args.dout, a, p, begin);
    cp_async_commit();
    if (const int r = begin + int(threadIdx.x); threadIdx.x < kR) {
      const bool exists = r < p.rows;
      position[threadIdx.x] = exists ? p.position(r) : -1;  // -1 sees no key
      lse[threadIdx.x] = exists ? args.lse[p.head_major(a, r)] * kLog2e : 0.0f;
      delta[threadIdx.x] = exists ? args.delta[p.head_major(a, r)] : 0.0f;
    }
    cp_async_wait<0>();
    __syncthreads();
    // Transposed: [16 keys, kR rows].
    float probs[kR / 8][4] = {}, ds[kR / 8][4] = {};
    add_times_transposed<kD, kR>(
        probs, [&](int step, uint32_t(&x)[4]) { load_a<kD>(x, keys, key_row, step); }, q_tile, 0);
    add_times_transposed<kD, kR>(
        ds, [&](int step, uint32_t(&x)[4]) { load_a<kD>(x, values, key_row, step); }, dout_tile, 0);
#pragma unroll
    for (int n = 0; n < kR / 8; ++n) {
#pragma unroll
      for (int i = 0; i < 4; ++i) {
        const int r = n * 8 + lane % 4 * 2 + i % 2;
        const bool seen = key + i / 2 * 8 <= position[r];
        probs[n][i] = seen ? exp2_approx(fmaf(probs[n][i], scale, -lse[r])) : 0.0f;
        ds[n][i] = probs[n][i] * (ds[n][i] - delta[r]);
      }
    }
    add_times<kD, kC, kR>(dv, probs, dout_tile, 0, column);
    add_times<kD, kC, kR>(dk, ds, q_tile, 0, column);
    __syncthreads();
  }

#pragma unroll
  for (int half = 0; half < 2; ++half) {
    const int j = key + 8 * half;
    if (j >= p.sequence.length) continue;
    const int64_t at = ((p.sequence.begin + j) * a.K + p.kv_head) * a.D + column + lane % 4 * 2;
#pragma unroll
    for (int n = 0; n < kC / 8; ++n) {
      if (column + n * 8 >= a.D) continue;
      *reinterpret_cast<float2*>(args.dk + at + n * 8) =
          make_float2(dk[n][2 * half] * a.scale, dk[n][2 * half + 1] * a.scale);
      *reinterpret_cast<float2*>(args.dv + at + n * 8) = make_float2(dv[n][2 * half], dv[n][2 * half + 1]);
    }
  }
}

}  // namespace

void attention_backward(Stream& stream, const AttentionBackward& o) {
  if (o.num_sequences == 0 || o.longest == 0) return;
  const BackwardArgs args{.shape = shape_of(o.sequences, o.kv, o.q.rows, o.q.cols, o.scale),
                          .dq = o.dq.as<float>(),
                          .dk = o.dk.as<float>(),
                          .dv = o.dv.as<float>(),
                          .delta = static_cast<float*>(o.scratch),
                          .dout = o.dout.as<bf16>(),
                          .out = o.out.as<bf16>(),
                          .q = o.q.as<bf16>(),
                          .lse = o.lse.as<float>()};
  const AttentionShape& a = args.shape;
  LIMR_LAUNCH(attention_delta, blocks_for(a.N * a.H * kWarp, 256), 256, 0, stream.queue)(args);
  launched(stream, "attention_delta");
  with_head_dim(a.D, [&](auto width) {
    constexpr int kD = decltype(width)::value;
    constexpr size_t kShared = sizeof(bf16) * 2 * (kTileElements<kD, kRows> + kTileElements<kD, kKeys>);
    constexpr size_t kKeyShared = sizeof(bf16) * 2 * (kTileElements<kD, kKeys> + kTileElements<kD, kTileRows<kD>>);
    allow_shared(attention_dq<kD>, kShared);
    allow_shared(attention_dkv<kD>, kKeyShared);
    const unsigned heads = unsigned(a.K), sequences = unsigned(o.num_sequences);
    const dim3 rows(blocks_for(o.longest * (a.H / a.K), kRows), heads, sequences);
    LIMR_LAUNCH((attention_dq<kD>), rows, kThreads, kShared, stream.queue)(args);
    launched(stream, "attention_dq");
    const dim3 keys(blocks_for(o.longest, kKeys), heads, sequences);
    LIMR_LAUNCH((attention_dkv<kD>), keys, kKeyThreads<kD>, kKeyShared, stream.queue)(args);
    launched(stream, "attention_dkv");
  });
}

}  // namespace limr::cuda
