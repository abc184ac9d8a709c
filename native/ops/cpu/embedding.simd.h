// native/ops/cpu/embedding.simd.h - see ops/embedding.h.

void embedding_forward(const EmbeddingArgs& p, int64_t begin, int64_t end) {  // rows [begin, end)
  for (int64_t n = begin; n < end; ++n) {
    const int64_t token = p.tokens[n];
    const bf16* src = p.panels + token / kPanelRows * kPanelRows * p.C + token % kPanelRows * 2;
    for (int64_t c = 0; c < p.C; c += 2) __builtin_memcpy(p.out + n * p.C + c, src + c * kPanelRows, 4);
  }
}

void embedding_backward(const EmbeddingArgs& p, int64_t begin, int64_t end) {  // columns [begin, end), all rows
  for (int64_t n = 0; n < p.N; ++n) {
    const int64_t token = p.tokens[n];
    float* dst = p.dweight + token / kPanelRows * kPanelRows * p.C + token % kPanelRows * 2;
    for (int64_t c = begin; c < end; ++c) {
      const uint32_t u = uint32_t(p.dout[n * p.C + c]) << 16;
      float x;
      __builtin_memcpy(&x, &u, 4);
      dst[c / 2 * kPanel + c % 2] += x;
    }
  }
}
