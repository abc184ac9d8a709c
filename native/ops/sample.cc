#include "ops/sample.h"

#include <algorithm>
#include <cmath>

#include "ops/cpu/table.h"
#include "ops/cuda_device.h"
#include "ops/logprob.h"

namespace limr {
namespace {

struct Row {
  const SampleForward& o;
  const float* logits;
  float* weights;  // [V] exp(z - max), 0 where not allowed
  int32_t* ids;    // [V] candidates

  bool before(int32_t a, int32_t b) const { return weights[a] != weights[b] ? weights[a] > weights[b] : a < b; }

  void forbid(bool eos) const {
    for (int64_t i = 0; i < o.num_banned; ++i) weights[o.banned[i]] = 0;
    if (eos)
      for (int64_t i = 0; i < o.num_eos; ++i) weights[o.eos[i]] = 0;
  }

  // Candidates with weight >= least, and their number.
  int64_t collect(float least) const {
    int64_t n = 0;
    for (int64_t v = 0; v < o.vocab_size; ++v)
      if (weights[v] > 0 && weights[v] >= least) ids[n++] = int32_t(v);
    return n;
  }

  double total(int64_t n) const {
    double t = 0;
    for (int64_t i = 0; i < n; ++i) t += double(weights[ids[i]]);
    return t;
  }

  // Candidates after top-k, top-p and min-p, ids ascending.
  int64_t candidates() const {
    const auto order = [this](int32_t a, int32_t b) { return before(a, b); };
    int64_t n = collect(0);
    if (o.top_k > 0 && o.top_k < n) {
      std::nth_element(ids, ids + o.top_k, ids + n, order);
      n = o.top_k;
      std::sort(ids, ids + n);
    }
    if (o.top_p < 1 && n > 1) {
      // Whatever lies below (1-p)/n of the total adds up to less than 1-p: the nucleus is among the rest.
      const double all = total(n);
      const float least = float((1 - double(o.top_p)) * all / double(n));
      n = std::remove_if(ids, ids + n, [&](int32_t v) { return weights[v] < least; }) - ids;
      std::sort(ids, ids + n, order);
      double sum = 0;
      int64_t kept = 0;
      while (kept < n && (kept == 0 || sum < double(o.top_p) * all)) sum += double(weights[ids[kept++]]);
      n = kept;
      std::sort(ids, ids + n);
    }
    if (o.min_p > 0) {
      float top = 0;
      for (int64_t i = 0; i < n; ++i) top = std::max(top, weights[ids[i]]);
      n = std::remove_if(ids, ids + n, [&](int32_t v) { return weights[v] < o.min_p * top; }) - ids;
    }
    return n;
  }

  int32_t draw(double u) const {
    if (o.top_k <= 0 && o.top_p >= 1 && o.min_p <= 0) return draw_any(u);
    const int64_t n = candidates();
    const double target = u * total(n);
    double sum = 0;
    for (int64_t i = 0; i < n; ++i)
      if ((sum += double(weights[ids[i]])) > target) return ids[i];
    return n > 0 ? ids[n - 1] : -1;
  }

  // The sum of weights [begin, end) in eight interleaved f64 sums, added in order.
  double sum_of(int64_t begin, int64_t end) const {
    double lanes[8] = {};
    int64_t v = begin;
    for (; v + 8 <= end; v += 8)
      for (int64_t i = 0; i < 8; ++i) lanes[i] += double(weights[v + i]);
    for (; v < end; ++v) lanes[(v - begin) % 8] += double(weights[v]);
    double sum = 0;
    for (const double lane : lanes) sum += lane;
    return sum;
  }

  // Among all ids: first the block that the target falls into, then the id.
  int32_t draw_any(double u) const {
    constexpr int64_t kBlocks = 256;
    const int64_t length = (o.vocab_size + kBlocks - 1) / kBlocks;
    double sums[kBlocks], all = 0;
    for (int64_t b = 0; b < kBlocks; ++b)
      all += sums[b] = sum_of(std::min(o.vocab_size, b * length), std::min(o.vocab_size, (b + 1) * length));
    const double target = u * all;
    double before = 0;
    int64_t chosen = 0;
    while (chosen + 1 < kBlocks && before + sums[chosen] <= target) before += sums[chosen++];
    while (chosen > 0 && sums[chosen] == 0) before -= sums[--chosen];  // u * all was rounded up to the whole sum
    int32_t last = -1;
    for (int64_t v = chosen * length; v < std::min(o.vocab_size, (chosen + 1) * length); ++v) {
      if (weights[v] <= 0) continue;
      if ((before += double(weights[v])) > target) return int32_t(v);
      last = int32_t(v);
    }
    return last;  // the block's sum, in another order, was a little larger
  }

  int32_t largest(bool forbid_eos) const {
    std::copy(logits, logits + o.vocab_size, weights);
    const float never = -INFINITY;
    for (int64_t i = 0; i < o.num_banned; ++i) weights[o.banned[i]] = never;
    for (int64_t i = 0; forbid_eos && i < o.num_eos; ++i) weights[o.eos[i]] = never;
    int32_t best = -1;
    for (int64_t v = 0; v < o.vocab_size; ++v)
      if (weights[v] > (best < 0 ? never : weights[best])) best = int32_t(v);
    return best;
  }
};

}  // namespace

size_t sample_scratch_bytes(Target target, int64_t rows, int64_t vocab_size) {
  if (target.device == DeviceKind::kCuda) return size_t(rows) << 13;
  return size_t(target.threads) * size_t(round_up(vocab_size, 16)) * (sizeof(float) + sizeof(int32_t));
}

void sample_forward(const Context& ctx, const SampleForward& o) {
  const int64_t R = o.logits.rows, V = o.vocab_size;
  check_view("sample_forward", "logits", o.logits, DType::kF32, R, V);
  if (ctx.cuda) return ctx.cuda->call(&cuda::Table::sample_forward, o);
  ctx.pool->parallel_for(R, std::max<int64_t>(1, 8192 / V), [&](int64_t begin, int64_t end) {
    auto* weights = static_cast<float*>(o.scratch) + ThreadPool::worker_index() * 2 * round_up(V, 16);
    for (int64_t r = begin; r < end; ++r) {
      const float* logits = o.logits.as<float>() + r * o.logits.stride;
      const Row row{o, logits, weights, reinterpret_cast<int32_t*>(weights + round_up(V, 16))};
      const RowStats reported = row_stats(ctx, logits, V, o.logprob_temperature);
      if (!std::isfinite(reported.max) || !std::isfinite(reported.log_sum)) {
        o.out[r] = {kNotFinite, 0};
        continue;
      }
      int32_t token;
      if (o.temperature == 0) {
        token = row.largest(o.rows[r].forbid_eos);
      } else {
        const float max =
            o.temperature == o.logprob_temperature ? reported.max : row_stats(ctx, logits, V, o.temperature).max;
        ctx.cpu->exp_row(weights, logits, V, o.temperature, max);
        row.forbid(o.rows[r].forbid_eos);
        token = row.draw(uniform(o.rows[r].key));
      }
      o.out[r] = token < 0 ? Sampled{kNothingAllowed, 0}
                           : Sampled{token, logprob_of(logits[token], o.logprob_temperature, reported)};
    }
  });
  check_sampled(o.out, R);
}

void check_sampled(const Sampled* rows, int64_t count) {
  for (int64_t r = 0; r < count; ++r) {
    LIMR_CHECK(rows[r].token != kNotFinite, kNumeric, cat("row ", r, " of the logits is not finite"),
               "The weights hold NaN or infinity, or training diverged.");
    LIMR_CHECK(rows[r].token >= 0, kUsage, "every token is banned: nothing can be drawn");
  }
}

}  // namespace limr
