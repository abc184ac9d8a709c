// native/engine/rollout/kv_cache.h - pages of keys and values, shared by sequences with a common prefix. Kwon et al. 2023,
// "Efficient memory management for large language model serving with PagedAttention", arXiv:2309.06180.
#pragma once
#include <cstdint>
#include <vector>

#include "core/arena.h"
#include "model/config.h"
#include "ops/rope.h"

namespace limr {

// The memory: `pages` pages a layer. Allocated from an arena.
class KvCache {
 public:
  KvCache(Arena& arena, const ModelConfig& config, int64_t pages, Device& device = cpu_device());
  KvPages layer(int64_t l) const;
  // The keys and values of all layers.
  void copy_page(int32_t to, int32_t from) const;
  static int64_t page_bytes(const ModelConfig& config);  // of all layers

 private:
  Device& device_;
  bf16* data_;
  int64_t pages_, layers_;
  KvPages shape_;
};

// Who holds which page. A page is free when nobody does.
class PagePool {
 public:
  explicit PagePool(int64_t pages);
  int64_t num_free() const { return int64_t(free_.size()); }
  int64_t num_pages() const { return int64_t(holders_.size()); }
  int64_t peak_used() const { return peak_; }
  int32_t take();            // one holder; kInternal when none is free
  void share(int32_t page);  // one holder more
  void drop(int32_t page);   // one less
  void drop_all(std::vector<int32_t>& pages);

 private:
  std::vector<int32_t> free_, holders_;
  int64_t peak_ = 0;
};

}  // namespace limr
