// native/ops/cpu/rmsnorm.simd.h - see ops/rmsnorm.h.

void rmsnorm_forward(const RmsNormArgs& p, int64_t begin, int64_t end) {  // rows [begin, end)
  for (int64_t n = begin; n < end; ++n) {
    const bf16* x = p.inp + n * p.C;
    const float rstd = 1.0f / __builtin_sqrtf(dot(x, x, p.C) / float(p.C) + p.eps);
    if (p.rstd) p.rstd[n] = rstd;
    bf16* out = p.out + n * p.ldo;
    for (int64_t c = 0; c < p.C; c += 16)
      store(out + c, mul(mul(load(x + c, p.C - c), splat(rstd)), load(p.weight + c, p.C - c)), p.C - c);
  }
}

// Groups [begin, end) of 64 rows: dinp of its rows, and its share of dweight into partial[group].
void rmsnorm_backward(const RmsNormArgs& p, int64_t begin, int64_t end) {
  for (int64_t group = begin; group < end; ++group) {
    float* partial = p.partial + group * p.C;
    for (int64_t c = 0; c < p.C; ++c) partial[c] = 0;
    const int64_t last = (group + 1) * kNormRowGroup < p.N ? (group + 1) * kNormRowGroup : p.N;
    for (int64_t n = group * kNormRowGroup; n < last; ++n) {
      const bf16* x = p.inp + n * p.C;
      const float* dout = p.dout + n * p.C;
      const F32x16 rstd = splat(p.rstd[n]);
      F32x16 acc = splat(0.0f);
      for (int64_t c = 0; c < p.C; c += 16)
        acc = fma(mul(load(dout + c, p.C - c), load(p.weight + c, p.C - c)), load(x + c, p.C - c), acc);
      const float r = p.rstd[n], along = sum(acc) * r * r * r / float(p.C);
      for (int64_t c = 0; c < p.C; c += 16) {
        const int64_t left = p.C - c;
        const F32x16 d = load(dout + c, left), xc = load(x + c, left);
        store(partial + c, fma(mul(d, xc), rstd, load(partial + c, left)), left);
        F32x16 dx = sub(mul(mul(d, load(p.weight + c, left)), rstd), mul(xc, splat(along)));
        if (p.dresidual) dx = add(dx, load(p.dresidual + n * p.C + c, left));
        store(p.dinp + n * p.C + c, dx, left);
      }
    }
  }
}

// dst[c] += sum_g src[g, c] in the order of g, for columns [begin, end)
void add_rows(float* dst, const float* src, int64_t ld, int64_t groups, int64_t begin, int64_t end) {
  for (int64_t c = begin; c < end; c += 16) {
    F32x16 acc = load(dst + c, end - c);
    for (int64_t g = 0; g < groups; ++g) acc = add(acc, load(src + g * ld + c, end - c));
    store(dst + c, acc, end - c);
  }
}
