// native/ops/ref/rope.h - see ops/rope.h and ops/ref/dense.h.
#pragma once
#include "ops/rope.h"

namespace limr::ref {

// Element d of the key, and of the value, that kv head `head` keeps at `slot` = page * 32 + key in page.
inline bf16& key_at(const KvPages& kv, int64_t slot, int64_t head, int64_t d) {
  const int64_t key = slot % kPageKeys;
  return kv
      .data[slot / kPageKeys * kv.page_stride + head * kv.head_elements() + d / 2 * 2 * kPageKeys + key * 2 + d % 2];
}
inline bf16& value_at(const KvPages& kv, int64_t slot, int64_t head, int64_t d) {
  const int64_t key = slot % kPageKeys;
  return kv.data[slot / kPageKeys * kv.page_stride + head * kv.head_elements() + kPageKeys * kv.head_dim +
                 key / 2 * 2 * kv.head_dim + d * 2 + key % 2];
}

void rope_forward(const RopeForward& op);
void rope_backward(const RopeBackward& op);

}  // namespace limr::ref
