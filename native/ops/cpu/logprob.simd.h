// native/ops/cpu/logprob.simd.h - see ops/logprob.h.

// Two passes over rows [begin, end): max of z, then the sums of exp(z - max) and of exp(z - max) * (z - max).
void logprob_forward(const LogprobArgs& p, int64_t begin, int64_t end) {
  const F32x16 T = splat(p.temperature);
  for (int64_t r = begin; r < end; ++r) {
    const float* x = p.logits + r * p.ldl;
    F32x16 top = splat(-__builtin_inff());
    for (int64_t v = 0; v < p.V; v += 16)
      top = max(top, keep(div(load(x + v, p.V - v), T), p.V - v, -__builtin_inff()));
    const float m = max_lane(top);
    F32x16 total = splat(0.0f), weighted = splat(0.0f);
    for (int64_t v = 0; v < p.V; v += 16) {
      const F32x16 z = sub(div(load(x + v, p.V - v), T), splat(m)), e = keep(exp(z), p.V - v, 0.0f);
      total = add(total, e);
      weighted = fma(e, z, weighted);
    }
    p.max[r] = m;
    p.sum[r] = sum(total);
    p.sum_z[r] = sum(weighted);
  }
}

void logprob_backward(const LogprobArgs& p, int64_t begin, int64_t end) {
  const F32x16 T = splat(p.temperature);
  const int64_t padded = (p.V + 1) / 2 * 2;
  alignas(64) float hot[16] = {};
  for (int64_t r = begin; r < end; ++r) {
    const float* x = p.logits + r * p.ldl;
    bf16* out = p.dlogits + r * p.ldd;
    const RowStats& s = p.stats[r];
    const F32x16 g = splat(p.dlogprob[r]), ge = splat(p.dentropy ? p.dentropy[r] : 0.0f);
    const int64_t target = p.targets[r];
    for (int64_t v = 0; v < padded; v += 16) {
      const F32x16 logp = sub(sub(div(load(x + v, p.V - v), T), splat(s.max)), splat(s.log_sum)), prob = exp(logp);
      F32x16 one = splat(0.0f);
      if (target - v >= 0 && target - v < 16) {
        hot[target - v] = 1.0f;
        one = load(hot);
        hot[target - v] = 0.0f;
      }
      F32x16 d = mul(g, sub(one, prob));
      if (p.dentropy) d = sub(d, mul(mul(ge, prob), add(logp, splat(s.entropy))));
      store(out + v, keep(div(d, T), p.V - v, 0.0f), padded - v);
    }
  }
}

// out[v] = exp(x[v] / T - max)
void exp_row(float* out, const float* x, int64_t V, float temperature, float max) {
  for (int64_t v = 0; v < V; v += 16)
    store(out + v, exp(sub(div(load(x + v, V - v), splat(temperature)), splat(max))), V - v);
}
