// See ops/sample.h. One block a row; everything that is added is an integer, so no order of sums matters.
//
// A token's weight exp(z - max) becomes a mass, a multiple of 2^-44: what is lighter than that is never drawn. Top-k and top-p both
// ask for the heaviest tokens whose measure (1 each, or their masses) reaches a target: a threshold on the logits, found
// four bits a pass, and among equal logits the lower ids. Drawing is by inverse CDF over ids in ascending order, exact in integers.
#include "ops/cuda/row_stats.cuh"
#include "ops/sample.h"

namespace limr::cuda {
namespace {

constexpr float kMassUnit = 0x1p44f;
constexpr int64_t kMaxVocab = int64_t(1) << 19;  // masses of so many tokens add up to less than 2^64
constexpr int kBits = 4, kDigits = 1 << kBits;
constexpr uint32_t kAllIds = ~0u;

struct Args {
  Sampled* out;
  float* logits;  // banned ones become -inf
  int64_t ldl, V;
  const SampleRow* rows;
  float temperature, logprob_temperature, top_p, min_p;
  int64_t top_k;
  const int32_t *banned, *eos;
  int64_t num_banned, num_eos;
};

// Larger for larger logits; 0 for -inf and NaN, which are no candidates.
__device__ __forceinline__ uint32_t key_of(float x) {
  if (!(x > -INFINITY)) return 0;
  const uint32_t u = __float_as_uint(x + 0.0f);  // -0 is 0
  return u & 0x80000000u ? ~u : u | 0x80000000u;
}

// Tokens with key > `key`, and those with this key and an id up to `last`.
struct Kept {
  uint32_t key = 1, last = kAllIds;
  __device__ bool holds(uint32_t k, int64_t id) const { return k > key || (k == key && id <= last); }
};

struct Row {
  const float* logits;
  int64_t V;
  float temperature, max, min_p;

  __device__ float weight(float logit) const { return expf(logit / temperature - max); }
  __device__ uint64_t mass(float logit) const { return uint64_t(weight(logit) * kMassUnit); }
};

struct Shared {
  uint64_t of_warp[kMaxThreads / kWarp][kDigits];
  uint64_t total[kDigits];
  int64_t found;
};

__device__ __forceinline__ int warp_index() { return int(threadIdx.x) / kWarp; }
__device__ __forceinline__ int lane_index() { return int(threadIdx.x) % kWarp; }
__device__ __forceinline__ int num_warps() { return int(blockDim.x) / kWarp; }

// Sums over the block of 16 numbers a thread, into shared.total. Lanes halve what they hold, step by step: 16 shuffles, not 80.
__device__ __forceinline__ void block_totals(uint64_t (&a)[kDigits], Shared& shared) {
  const int lane = lane_index();
  int width = kDigits;
#pragma unroll
  for (int mask = kWarp / 2; mask > 1; mask /= 2) {
    width /= 2;
    const bool upper = lane & mask;
#pragma unroll
    for (int j = 0; j < kDigits / 2; ++j) {
      if (j >= width) continue;
      const uint64_t given = upper ? a[j] : a[j + width], kept = upper ? a[j + width] : a[j];
      a[j] = kept + __shfl_xor_sync(~0u, given, mask);
    }
  }
  a[0] += __shfl_xor_sync(~0u, a[0], 1);
  if (lane % 2 == 0) shared.of_warp[warp_index()][lane / 2] = a[0];  // bits 4..1 of the lane chose the halves
  __syncthreads();
  if (threadIdx.x < kDigits) {
    uint64_t sum = 0;
    for (int w = 0; w < num_warps(); ++w) sum += shared.of_warp[w][threadIdx.x];
    shared.total[threadIdx.x] = sum;
  }
  __syncthreads();
}

// The id at which the running sum of measure(logit, id), over ids in ascending order, first exceeds `target`, or -1. Each warp owns
// a stretch of ids; the one that holds the answer walks through its stretch.
template <class Measure>
__device__ __forceinline__ int64_t find(const Row& row, uint64_t target, Shared& shared, const Measure& measure) {
  const int64_t stretch = (row.V + num_warps() * kWarp - 1) / (num_warps() * kWarp) * kWarp;
  const int64_t begin = warp_index() * stretch, end = min(begin + stretch, row.V);
  uint64_t sum = 0;
  for (int64_t v = begin + lane_index(); v < end; v += kWarp) sum += measure(row.logits[v], v);
  sum = warp_sum(sum);
  if (lane_index() == 0) shared.of_warp[warp_index()][0] = sum;
  if (threadIdx.x == 0) shared.found = -1;
  __syncthreads();
  uint64_t before = 0;
  for (int w = 0; w < warp_index(); ++w) before += shared.of_warp[w][0];
  if (before <= target && before + sum > target) {  // one warp at most
    for (int64_t v = begin; v < end; v += kWarp) {
      const int64_t id = v + lane_index();
      uint64_t upto = id < end ? measure(row.logits[id], id) : 0;  // inclusive scan
#pragma unroll
      for (int d = 1; d < kWarp; d *= 2) {
        const uint64_t left = __shfl_up_sync(~0u, upto, d);
        if (lane_index() >= d) upto += left;
      }
      const unsigned beyond = __ballot_sync(~0u, before + upto > target);
      if (beyond) {
        if (lane_index() == 0) shared.found = v + __ffs(int(beyond)) - 1;
        break;
      }
      before += __shfl_sync(~0u, upto, kWarp - 1);
    }
  }
  __syncthreads();
  const int64_t found = shared.found;
  __syncthreads();
  return found;
}

// The fewest of the heaviest tokens of `from` whose measure(logit) reaches `target`; `from` itself when all do not.
template <class Measure>
__device__ __forceinline__ Kept heaviest(const Row& row, const Kept& from, uint64_t target, Shared& shared,
                                         const Measure& measure) {
  uint32_t key = 0;    // the largest threshold so far at which the measure of what is not below reaches the target
  uint64_t above = 0;  // the measure of what lies above the range that is left; after the last digit, above `key`
  for (int shift = 32 - kBits; shift >= 0; shift -= kBits) {
    uint64_t sums[kDigits] = {};  // of tokens whose key reaches key + (digit << shift)
    for (int64_t v = threadIdx.x; v < row.V; v += blockDim.x) {
      const float logit = row.logits[v];
      const uint32_t k = key_of(logit);
      if (k < key || !from.holds(k, v)) continue;
      const uint64_t m = measure(logit);
#pragma unroll
      for (int d = 0; d < kDigits; ++d)
        if ((k - key) >> shift >= uint32_t(d)) sums[d] += m;
    }
    block_totals(sums, shared);
    int digit = 0;
    for (int d = 1; d < kDigits; ++d)
      if (shared.total[d] >= target) digit = d;
    if (digit + 1 < kDigits) above = shared.total[digit + 1];
    const bool reached = shared.total[0] >= target;
    __syncthreads();
    if (!reached) return from;
    key += uint32_t(digit) << shift;
  }
  // Of tokens with this very key, those with the lowest ids, as many as are missing.
  const auto same = [&](float logit, int64_t v) {
    return key_of(logit) == key && from.holds(key, v) ? measure(logit) : uint64_t(0);
  };
  const int64_t last = find(row, target - above - 1, shared, same);
  return {key, last < 0 ? kAllIds : uint32_t(last)};
}

// As core/rng.h has it: Philox4x32-10, and the upper 53 bits of its first two words.
__device__ __forceinline__ uint64_t uniform53(const RngKey& k) {
  uint32_t c[4] = {k.rollout, k.row, k.sample, k.position}, key[2] = {k.seed, k.purpose};
#pragma unroll
  for (int round = 0; round < 10; ++round) {
    const uint64_t p0 = uint64_t(0xD2511F53u) * c[0], p1 = uint64_t(0xCD9E8D57u) * c[2];
    const uint32_t c1 = c[1], c3 = c[3];
    c[0] = uint32_t(p1 >> 32) ^ c1 ^ key[0], c[1] = uint32_t(p1);
    c[2] = uint32_t(p0 >> 32) ^ c3 ^ key[1], c[3] = uint32_t(p0);
    key[0] += 0x9E3779B9u, key[1] += 0xBB67AE85u;
  }
  return uint64_t(c[0]) << 21 ^ c[1] >> 11;
}

__device__ __forceinline__ uint64_t multiply_high(uint64_t a, uint64_t b) {
  const uint64_t a0 = uint32_t(a), a1 = a >> 32, b0 = uint32_t(b), b1 = b >> 32;
  const uint64_t middle = a1 * b0 + (a0 * b0 >> 32), low = a0 * b1 + uint32_t(middle);
  return a1 * b1 + (middle >> 32) + (low >> 32);
}

// Largest logit and its lowest id, as one number: key, then the id turned round.
__device__ __forceinline__ uint64_t largest(const float* logits, int64_t V, Shared& shared) {
  uint64_t best = 0;
  for (int64_t v = threadIdx.x; v < V; v += blockDim.x)
    if (const uint32_t k = key_of(logits[v])) best = max(best, uint64_t(k) << 32 | uint32_t(~uint32_t(v)));
#pragma unroll
  for (int mask = kWarp / 2; mask > 0; mask /= 2) best = max(best, __shfl_xor_sync(~0u, best, mask));
  if (lane_index() == 0) shared.of_warp[warp_index()][0] = best;
  __syncthreads();
  for (int w = 0; w < num_warps(); ++w) best = max(best, shared.of_warp[w][0]);
  __syncthreads();
  return best;
}

__global__ void __launch_bounds__(kStatsThreads, 1) sample_kernel(const __grid_constant__ Args a) {
  __shared__ Shared shared;
  float* logits = a.logits + int64_t(blockIdx.x) * a.ldl;
  const SampleRow& keys = a.rows[blockIdx.x];
  const RowStats reported = row_stats(logits, a.V, a.logprob_temperature);
  if (!isfinite(reported.max) || !isfinite(reported.log_sum)) {
    if (threadIdx.x == 0) a.out[blockIdx.x] = {kNotFinite, 0};
    return;
  }
  for (int64_t i = threadIdx.x; i < a.num_banned; i += blockDim.x) logits[a.banned[i]] = -INFINITY;
  __syncthreads();  // an id may be in both lists
  if (keys.forbid_eos)
    for (int64_t i = threadIdx.x; i < a.num_eos; i += blockDim.x) logits[a.eos[i]] = -INFINITY;
  __syncthreads();
  const uint64_t best = largest(logits, a.V, shared);
  if (best == 0) {
    if (threadIdx.x == 0) a.out[blockIdx.x] = {kNothingAllowed, 0};
    return;
  }
  int64_t token = uint32_t(~uint32_t(best));
  if (a.temperature > 0) {
    const Row row{logits, a.V, a.temperature, logits[token] / a.temperature, a.min_p};
    const auto one = [](float) { return uint64_t(1); };
    const auto mass = [&](float logit) { return row.mass(logit); };
    Kept kept;
    if (a.top_k > 0 && a.top_k < a.V) kept = heaviest(row, kept, uint64_t(a.top_k), shared, one);
    if (a.top_p < 1) {
      uint64_t sums[kDigits] = {};
      for (int64_t v = threadIdx.x; v < a.V; v += blockDim.x)
        if (const uint32_t k = key_of(logits[v]); k && kept.holds(k, v)) sums[0] += mass(logits[v]);
      block_totals(sums, shared);
      const auto target = uint64_t(ceil(double(a.top_p) * double(shared.total[0])));
      __syncthreads();
      kept = heaviest(row, kept, max(target, uint64_t(1)), shared, mass);
    }
    const auto drawn = [&](float logit, int64_t v) {
      const uint32_t k = key_of(logit);
      if (k == 0 || !kept.holds(k, v)) return uint64_t(0);
      const float w = row.weight(logit);
      return w < row.min_p ? uint64_t(0) : uint64_t(w * kMassUnit);
    };
    uint64_t sums[kDigits] = {};
    for (int64_t v = threadIdx.x; v < a.V; v += blockDim.x) sums[0] += drawn(logits[v], v);
    block_totals(sums, shared);
    const uint64_t total = shared.total[0];
    __syncthreads();
    token = find(row, multiply_high(uniform53(keys.key) << 11, total), shared, drawn);
  }
  if (threadIdx.x != 0) return;
  a.out[blockIdx.x] = token < 0 ? Sampled{kNothingAllowed, 0}
                                : Sampled{int32_t(token), row_logprob(logits[token], a.logprob_temperature, reported)};
}

}  // namespace

void sample_forward(Stream& s, const SampleForward& o) {
  if (o.logits.rows == 0) return;
  LIMR_CHECK(
      o.vocab_size < kMaxVocab, kUnsupported,
      cat("sample_forward: a vocabulary of ", o.vocab_size, " tokens, fewer than ", kMaxVocab, " are supported"));
  const Args args{.out = o.out,
                  .logits = o.logits.as<float>(),
                  .ldl = o.logits.stride,
                  .V = o.vocab_size,
                  .rows = o.rows,
                  .temperature = o.temperature,
                  .logprob_temperature = o.logprob_temperature,
                  .top_p = o.top_p,
                  .min_p = o.min_p,
                  .top_k = o.top_k,
                  .banned = o.banned,
                  .eos = o.eos,
                  .num_banned = o.num_banned,
                  .num_eos = o.num_eos};
  LIMR_LAUNCH(sample_kernel, unsigned(o.logits.rows), stats_threads(o.vocab_size), 0, s.queue)(args);
  launched(s, "sample_forward");
}

}  // namespace limr::cuda
