// native/ops/cpu/table.h - the kernels of one instruction set. One table an isa_*.cc; dispatch.cc lists those this CPU can run.
#pragma once
#include <vector>

#include "ops/adamw.h"
#include "ops/attention.h"
#include "ops/embedding.h"
#include "ops/logprob.h"
#include "ops/matmul.h"
#include "ops/rmsnorm.h"
#include "ops/rope.h"
#include "ops/value.h"

namespace limr::cpu {

struct Table {
  const char* isa;
  int64_t tile_rows, gradient_rows;  // of a product's tile, and of a gradient's
  void (*gemm)(const GemmArgs&, int64_t panel_begin, int64_t panel_end, int64_t row_begin, int64_t row_end);
  void (*zip_tile)(bf16* dst, const bf16* src, int64_t ld, int64_t M, int64_t N, int64_t tile);
  void (*gemm_gradient)(const GradientArgs&, int64_t panel_begin, int64_t panel_end, int64_t tile_begin,
                        int64_t tile_end);
  void (*column_sums)(float* dst, const bf16* src, int64_t ld, int64_t M, int64_t begin, int64_t end);
  void (*embedding_forward)(const EmbeddingArgs&, int64_t, int64_t);
  void (*embedding_backward)(const EmbeddingArgs&, int64_t, int64_t);
  void (*rmsnorm_forward)(const RmsNormArgs&, int64_t, int64_t);
  void (*rmsnorm_backward)(const RmsNormArgs&, int64_t, int64_t);
  void (*add_rows)(float* dst, const float* src, int64_t ld, int64_t groups, int64_t begin, int64_t end);
  void (*rope_forward)(const RopeArgs&, int64_t, int64_t);
  void (*rope_backward)(const RopeArgs&, int64_t, int64_t);
  void (*attention_forward)(const AttentionArgs&, const AttentionSequence&, int64_t head, int64_t t0, int64_t t1);
  void (*attention_backward)(const AttentionArgs&, const AttentionSequence&, int64_t head, int64_t foreign,
                             bf16* scratch);
  void (*logprob_forward)(const LogprobArgs&, int64_t, int64_t);
  void (*logprob_backward)(const LogprobArgs&, int64_t, int64_t);
  void (*exp_row)(float* out, const float* x, int64_t V, float temperature, float max);
  void (*adamw)(const AdamWArgs&, int64_t, int64_t);
  float (*sum_squares)(const float*, int64_t);
  void (*value_forward)(const ValueArgs&, int64_t, int64_t);
  void (*value_backward)(const ValueArgs&, int64_t, int64_t);
  int64_t (*probe_flops)(int64_t steps, float* state);
  float (*probe_read)(const float*, int64_t);
};

// What this CPU can run, best first. Never empty.
const std::vector<const Table*>& runnable();
// By name; "" is the best. Throws kPlatform for one this CPU cannot run, kUsage for one that does not exist.
const Table* table(const std::string& isa);

}  // namespace limr::cpu
