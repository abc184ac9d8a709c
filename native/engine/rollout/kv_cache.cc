#include "engine/rollout/kv_cache.h"

#include <algorithm>

namespace limr {
namespace {
KvPages page_shape(const ModelConfig& c) {
  KvPages kv{nullptr, 0, c.num_key_value_heads, c.head_dim};
  kv.page_stride = kv.page_elements();
  return kv;
}
}  // namespace

int64_t KvCache::page_bytes(const ModelConfig& c) {
  return c.num_hidden_layers * page_shape(c).page_elements() * int64_t(sizeof(bf16));
}

KvCache::KvCache(Arena& arena, const ModelConfig& config, int64_t pages, Device& device)
    : device_(device),
      data_(arena.array<bf16>(pages * page_bytes(config) / int64_t(sizeof(bf16)))),
      pages_(pages),
      layers_(config.num_hidden_layers),
      shape_(page_shape(config)) {}

KvPages KvCache::layer(int64_t l) const {
  KvPages kv = shape_;
  kv.data = data_ + l * pages_ * shape_.page_stride;
  return kv;
}

void KvCache::copy_page(int32_t to, int32_t from) const {
  for (int64_t l = 0; l < layers_; ++l) {
    bf16* base = layer(l).data;
    device_.copy_within(base + to * shape_.page_stride, base + from * shape_.page_stride,
                        size_t(shape_.page_stride) * sizeof(bf16));
  }
}

PagePool::PagePool(int64_t pages) : holders_(size_t(pages), 0) {
  for (int64_t p = pages - 1; p >= 0; --p) free_.push_back(int32_t(p));
}

int32_t PagePool::take() {
  LIMR_ASSERT(!free_.empty());
  const int32_t page = free_.back();
  free_.pop_back();
  holders_[size_t(page)] = 1;
  peak_ = std::max(peak_, num_pages() - num_free());
  return page;
}

void PagePool::share(int32_t page) {
  LIMR_ASSERT(holders_[size_t(page)] > 0);
  ++holders_[size_t(page)];
}

void PagePool::drop(int32_t page) {
  LIMR_ASSERT(holders_[size_t(page)] > 0);
  if (--holders_[size_t(page)] == 0) free_.push_back(page);
}

void PagePool::drop_all(std::vector<int32_t>& pages) {
  for (const int32_t p : pages) drop(p);
  pages.clear();
}

}  // namespace limr
