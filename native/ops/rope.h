// native/ops/rope.h - from the fused projection to rotated queries and the paged cache, and back.
// Rotary embedding: Su et al. 2021, arXiv:2104.09864, in the half-split form of Hugging Face:
//   y[i] = x[i] cos - x[i+D/2] sin,   y[i+D/2] = x[i+D/2] cos + x[i] sin,   angle = position * inv_freq[i],   i < D/2
// Qwen3 first normalizes every head of q and k over D (RMSNorm with weights q_norm, k_norm).
#pragma once
#include "core/context.h"
#include "core/view.h"

namespace limr {

// Keys a page, and keys an online-softmax step: one constant, since a page is an attention block.
constexpr int64_t kPageKeys = 32;

// One layer of the cache. A page holds, for each of K heads, its keys as [D/2][32][2] and its values as [16][D][2]; on a device keys
// [32][D] and values [32][D].
struct KvPages {
  bf16* data = nullptr;
  int64_t page_stride = 0;  // elements from one page to the next
  int64_t num_kv_heads = 0, head_dim = 0;
  int64_t head_elements() const { return 2 * kPageKeys * head_dim; }
  int64_t page_elements() const { return num_kv_heads * head_elements(); }
};

struct RopeTable {
  const float* cos = nullptr;  // [positions, D/2]
  const float* sin = nullptr;
  int64_t positions = 0;
};

struct HeadNorm {  // of q and k; null weights = none
  const bf16* q = nullptr;
  const bf16* k = nullptr;  // [D]
  float eps = 0;
};

struct RopeForward {
  View q;  // [N, H*D] bf16
  KvPages kv;
  View qkv;                  // [N, (H+2K)*D] f32
  const int32_t* positions;  // [N]
  const int64_t* slots;  // [N] page * 32 + key in page. The value after a sequence's last even slot is zeroed (CPU).
  RopeTable rope;
  HeadNorm norm;
};
void rope_forward(const Context&, const RopeForward&);

struct RopeBackward {
  View dqkv;              // [N, (H+2K)*D] bf16
  View dq;                // [N, H*D] f32
  View dk, dv;            // [N, K*D] f32
  View qkv;               // [N, (H+2K)*D] f32: the forward input; read only with a head norm
  View dq_norm, dk_norm;  // [1, D] f32, +=; absent without a head norm
  const int32_t* positions;
  RopeTable rope;
  HeadNorm norm;
  int64_t num_heads, num_kv_heads, head_dim;
  void* scratch;  // rope_backward_scratch_bytes
};
size_t rope_backward_scratch_bytes(int64_t rows, int64_t head_dim);
void rope_backward(const Context&, const RopeBackward&);

struct RopeArgs {
  bf16* q = nullptr;
  bf16* kv = nullptr;
  int64_t page_stride = 0;
  const float* qkv = nullptr;
  const int32_t* positions = nullptr;
  const int64_t* slots = nullptr;
  const float* cos = nullptr;
  const float* sin = nullptr;
  const bf16* q_norm = nullptr;
  const bf16* k_norm = nullptr;
  float eps = 0;
  int64_t N = 0, H = 0, K = 0, D = 0;
  bf16* dqkv = nullptr;
  const float* dq = nullptr;
  const float* dk = nullptr;
  const float* dv = nullptr;
  float* partial = nullptr;  // [groups, 2, D]
};

}  // namespace limr
