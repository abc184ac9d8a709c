#include "io/xxhash64.h"

#include <bit>
#include <cstring>

namespace limr {
namespace {

constexpr uint64_t kPrime1 = 0x9E3779B185EBCA87ull, kPrime2 = 0xC2B2AE3D27D4EB4Full, kPrime3 = 0x165667B19E3779F9ull,
                   kPrime4 = 0x85EBCA77C2B2AE63ull, kPrime5 = 0x27D4EB2F165667C5ull;

static_assert(std::endian::native == std::endian::little, "files are little-endian, and read and written as they are");

uint64_t load64(const unsigned char* p) {
  uint64_t x;
  std::memcpy(&x, p, 8);
  return x;
}

uint32_t load32(const unsigned char* p) {
  uint32_t x;
  std::memcpy(&x, p, 4);
  return x;
}

uint64_t round(uint64_t acc, uint64_t lane) { return std::rotl(acc + lane * kPrime2, 31) * kPrime1; }

// Whole stripes of 32 bytes.
void consume(uint64_t acc[4], const unsigned char* p, size_t stripes) {
  uint64_t a = acc[0], b = acc[1], c = acc[2], d = acc[3];
  for (size_t i = 0; i < stripes; ++i, p += 32) {
    a = round(a, load64(p));
    b = round(b, load64(p + 8));
    c = round(c, load64(p + 16));
    d = round(d, load64(p + 24));
  }
  acc[0] = a, acc[1] = b, acc[2] = c, acc[3] = d;
}

}  // namespace

XxHash64::XxHash64(uint64_t seed)
    : acc_{seed + kPrime1 + kPrime2, seed + kPrime2, seed, seed - kPrime1}, seed_(seed), tail_{} {}

void XxHash64::update(const void* data, size_t bytes) {
  if (bytes == 0) return;
  auto* p = static_cast<const unsigned char*>(data);
  const size_t held = total_ % 32;
  total_ += bytes;
  if (held + bytes < 32) {
    std::memcpy(tail_ + held, p, bytes);
    return;
  }
  if (held != 0) {
    const size_t fill = 32 - held;
    std::memcpy(tail_ + held, p, fill);
    consume(acc_, tail_, 1);
    p += fill;
    bytes -= fill;
  }
  consume(acc_, p, bytes / 32);
  std::memcpy(tail_, p + bytes / 32 * 32, bytes % 32);
}

uint64_t XxHash64::digest() const {
  uint64_t h = seed_ + kPrime5;
  if (total_ >= 32) {
    h = std::rotl(acc_[0], 1) + std::rotl(acc_[1], 7) + std::rotl(acc_[2], 12) + std::rotl(acc_[3], 18);
    for (const uint64_t acc : acc_) h = (h ^ round(0, acc)) * kPrime1 + kPrime4;
  }
  h += total_;
  const unsigned char *p = tail_, *end = tail_ + total_ % 32;
  for (; end - p >= 8; p += 8) h = std::rotl(h ^ round(0, load64(p)), 27) * kPrime1 + kPrime4;
  if (end - p >= 4) {
    h = std::rotl(h ^ (load32(p) * kPrime1), 23) * kPrime2 + kPrime3;
    p += 4;
  }
  for (; p < end; ++p) h = std::rotl(h ^ (*p * kPrime5), 11) * kPrime1;
  h = (h ^ (h >> 33)) * kPrime2;
  h = (h ^ (h >> 29)) * kPrime3;
  return h ^ (h >> 32);
}

uint64_t xxhash64(const void* data, size_t bytes, uint64_t seed) {
  XxHash64 hash(seed);
  hash.update(data, bytes);
  return hash.digest();
}

}  // namespace limr
