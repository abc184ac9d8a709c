// native/ops/cpu/adamw.simd.h - see ops/adamw.h. The halves of the master are joined and split as integers, lane by lane.

void adamw(const AdamWArgs& p, int64_t begin, int64_t end) {
  alignas(64) float w[16];
  for (int64_t i = begin; i < end; i += 16) {
    const int64_t left = end - i, n = left < 16 ? left : 16;
    for (int64_t j = 0; j < n; ++j) w[j] = join_master(p.weight[i + j], p.remainder[i + j]);
    for (int64_t j = n; j < 16; ++j) w[j] = 0;
    const F32x16 g = mul(load(p.grad + i, left), splat(p.grad_scale));
    const F32x16 m = fma(splat(p.beta1), load(p.m + i, left), mul(splat(p.rest1), g));
    const F32x16 v = fma(splat(p.beta2), load(p.v + i, left), mul(mul(splat(p.rest2), g), g));
    const F32x16 denom = add(div(sqrt(v), splat(p.sqrt_correction)), splat(p.eps));
    const F32x16 next = sub(mul(load(w), splat(p.keep)), mul(splat(p.step_size), div(m, denom)));
    store(p.m + i, m, left);
    store(p.v + i, v, left);
    store(w, next);
    for (int64_t j = 0; j < n; ++j) split_master(w[j], p.weight + i + j, p.remainder + i + j);
  }
}

float sum_squares(const float* x, int64_t n) { return dot(x, x, n); }
