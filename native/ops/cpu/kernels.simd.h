// native/ops/cpu/kernels.simd.h - every kernel body, and the table of them, for the instruction set of the including file.
// Includes nothing from outside and uses no std::, so that nothing inline of ours is emitted for a CPU that may lack it.

// The order is one of use, so every line but the last group is a block of its own.
#include "ops/cpu/math.simd.h"

#include "ops/cpu/gemm.simd.h"

#include "ops/cpu/adamw.simd.h"
#include "ops/cpu/attention.simd.h"
#include "ops/cpu/embedding.simd.h"
#include "ops/cpu/logprob.simd.h"
#include "ops/cpu/probe.simd.h"
#include "ops/cpu/rmsnorm.simd.h"
#include "ops/cpu/rope.simd.h"
#include "ops/cpu/value.simd.h"

constexpr Table make_table(const char* isa) {
  return {isa,
          kTileRows,
          kGradientRows,
          gemm,
          zip_tile,
          gemm_gradient,
          column_sums,
          embedding_forward,
          embedding_backward,
          rmsnorm_forward,
          rmsnorm_backward,
          add_rows,
          rope_forward,
          rope_backward,
          attention_forward,
          attention_backward,
          logprob_forward,
          logprob_backward,
          exp_row,
          adamw,
          sum_squares,
          value_forward,
          value_backward,
          probe_flops,
          probe_read};
}
