// native/ops/cpu/value.simd.h - see ops/value.h.

void value_forward(const ValueArgs& p, int64_t begin, int64_t end) {  // rows [begin, end)
  for (int64_t n = begin; n < end; ++n) p.values[n] = dot(p.inp + n * p.C, p.weight, p.C);
}

void value_backward(const ValueArgs& p, int64_t begin, int64_t end) {  // columns [begin, end), all rows
  for (int64_t c = begin; c < end; c += 16) {
    const F32x16 weight = load(p.weight + c, end - c);
    F32x16 acc = load(p.dweight + c, end - c);
    for (int64_t n = 0; n < p.N; ++n) {
      const F32x16 d = splat(p.dvalues[n]);
      acc = fma(d, load(p.inp + n * p.C + c, end - c), acc);
      store(p.dinp + n * p.C + c, mul(d, weight), end - c);
    }
    store(p.dweight + c, acc, end - c);
  }
}
