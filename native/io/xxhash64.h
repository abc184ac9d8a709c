// native/io/xxhash64.h - XXH64, a fast non-cryptographic checksum.
// Specification: https://github.com/Cyan4973/xxHash/blob/dev/doc/xxhash_spec.md
#pragma once
#include <cstddef>
#include <cstdint>

namespace limr {

// Streaming: any split of the input into update() calls gives the same digest.
class XxHash64 {
 public:
  explicit XxHash64(uint64_t seed = 0);
  void update(const void* data, size_t bytes);
  uint64_t digest() const;

 private:
  uint64_t acc_[4];
  uint64_t seed_;
  uint64_t total_ = 0;      // bytes
  unsigned char tail_[32];  // the last total_ % 32 bytes
};

uint64_t xxhash64(const void* data, size_t bytes, uint64_t seed = 0);

}  // namespace limr
