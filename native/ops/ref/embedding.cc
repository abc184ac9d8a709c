#include "ops/ref/embedding.h"

#include <algorithm>

#include "ops/ref/dense.h"

namespace limr::ref {

void embedding_forward(const EmbeddingForward& op) {
  const int64_t N = op.out.rows, C = op.weight.cols;
  std::vector<double> out(N * C);
  for (int64_t n = 0; n < N; ++n)
    for (int64_t c = 0; c < C; ++c) out[n * C + c] = bf16_to_f32(op.weight.panels[packed_index(op.tokens[n], c, C)]);
  store(op.out, out);
}

void embedding_backward(const EmbeddingBackward& op) {
  const int64_t N = op.dout.rows, C = op.dout.cols;
  const std::vector<double> dout = dense(op.dout);
  std::vector<double> dweight(op.vocab_size * C);
  for (int64_t n = 0; n < N; ++n)
    for (int64_t c = 0; c < C; ++c) dweight[op.tokens[n] * C + c] += dout[n * C + c];
  accumulate(op.dweight, op.vocab_size, C, dweight);
}

void gather_rows(const GatherRows& op) {
  const int64_t bytes = dtype_bytes(op.inp.dtype);
  for (int64_t r = 0; r < op.out.rows; ++r) {
    const char* from = op.inp.as<char>() + op.index[r] * op.inp.stride * bytes;
    std::copy_n(from, op.inp.cols * bytes, op.out.as<char>() + r * op.out.stride * bytes);
  }
}

}  // namespace limr::ref
