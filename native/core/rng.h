// native/core/rng.h - counter-based random numbers. Salmon et al. 2011, "Parallel random numbers: as easy as 1, 2, 3".
// A number depends on its key and counter alone: never on what was drawn before, by whom, or in which order.
#pragma once
#include <array>
#include <cstdint>

namespace limr {

// Philox4x32-10.
inline std::array<uint32_t, 4> philox(std::array<uint32_t, 4> counter, std::array<uint32_t, 2> key) {
  for (int round = 0; round < 10; ++round) {
    const uint64_t p0 = uint64_t(0xD2511F53u) * counter[0], p1 = uint64_t(0xCD9E8D57u) * counter[2];
    counter = {uint32_t(p1 >> 32) ^ counter[1] ^ key[0], uint32_t(p1), uint32_t(p0 >> 32) ^ counter[3] ^ key[1],
               uint32_t(p0)};
    key[0] += 0x9E3779B9u;
    key[1] += 0xBB67AE85u;
  }
  return counter;
}

// Where a sampled token stands in the whole of a run.
struct RngKey {
  uint32_t seed = 0, purpose = 0;                           // key words
  uint32_t rollout = 0, row = 0, sample = 0, position = 0;  // counter words
};

// Uniform in [0, 1), 53 bits.
inline double uniform(const RngKey& k) {
  const auto r = philox({k.rollout, k.row, k.sample, k.position}, {k.seed, k.purpose});
  return double((uint64_t(r[0]) << 21) ^ (r[1] >> 11)) * 0x1p-53;
}

}  // namespace limr
