// test/cuda/shim/warp.h - what the lanes of a warp do together, over warp_collective of block.h.
#pragma once
#include <cstdint>
#include <cstring>
#include <type_traits>

#include "block.h"

namespace limr::shim {

// Of one lane: up to 8 bytes it gives, the lane it reads, what it gets.
struct Shuffle {
  uint64_t given;
  int source;  // a lane; its own where the source lies outside of its segment
  uint64_t got;
};
extern const WarpOp kShuffleIndex, kShuffleUp, kShuffleDown, kShuffleXor;

struct Vote {
  bool predicate;
  uint32_t ballot;
};
extern const WarpOp kBallot, kAny, kAll, kSyncWarp;

struct Reduce {
  uint32_t value;
};
extern const WarpOp kReduceAdd, kReduceMin, kReduceMax;

template <typename T>
T shuffle(const WarpOp& op, uint32_t mask, T value, int source, const Where& where) {
  static_assert(std::is_trivially_copyable_v<T> && sizeof(T) <= 8);
  Shuffle request{0, source, 0};
  std::memcpy(&request.given, &value, sizeof value);
  warp_collective(op, mask, &request, where);
  std::memcpy(&value, &request.got, sizeof value);
  return value;
}

inline uint32_t ballot(const WarpOp& op, uint32_t mask, bool predicate, const Where& where) {
  Vote vote{predicate, 0};
  warp_collective(op, mask, &vote, where);
  return vote.ballot;
}

inline uint32_t reduce(const WarpOp& op, uint32_t mask, uint32_t value, const Where& where) {
  Reduce request{value};
  warp_collective(op, mask, &request, where);
  return request.value;
}

}  // namespace limr::shim

inline void __syncwarp(unsigned mask = ~0u, const limr::shim::Where& where = limr::shim::Where::current()) {
  limr::shim::warp_collective(limr::shim::kSyncWarp, mask, nullptr, where);
}
template <typename T>
T __shfl_sync(unsigned mask, T value, int source, int width = 32,
              const limr::shim::Where& where = limr::shim::Where::current()) {
  const int first = limr::shim::lane() & -width;
  return limr::shim::shuffle(limr::shim::kShuffleIndex, mask, value, first + (source & (width - 1)), where);
}
template <typename T>
T __shfl_up_sync(unsigned mask, T value, unsigned delta, int width = 32,
                 const limr::shim::Where& where = limr::shim::Where::current()) {
  const int lane = limr::shim::lane(), first = lane & -width, source = lane - int(delta);
  return limr::shim::shuffle(limr::shim::kShuffleUp, mask, value, source < first ? lane : source, where);
}
template <typename T>
T __shfl_down_sync(unsigned mask, T value, unsigned delta, int width = 32,
                   const limr::shim::Where& where = limr::shim::Where::current()) {
  const int lane = limr::shim::lane(), end = (lane & -width) + width, source = lane + int(delta);
  return limr::shim::shuffle(limr::shim::kShuffleDown, mask, value, source >= end ? lane : source, where);
}
template <typename T>
T __shfl_xor_sync(unsigned mask, T value, int lanes, int width = 32,
                  const limr::shim::Where& where = limr::shim::Where::current()) {
  const int lane = limr::shim::lane(), end = (lane & -width) + width, source = lane ^ lanes;
  return limr::shim::shuffle(limr::shim::kShuffleXor, mask, value, source >= end ? lane : source, where);
}
inline unsigned __ballot_sync(unsigned mask, int predicate,
                              const limr::shim::Where& where = limr::shim::Where::current()) {
  return limr::shim::ballot(limr::shim::kBallot, mask, predicate != 0, where);
}
inline int __any_sync(unsigned mask, int predicate, const limr::shim::Where& where = limr::shim::Where::current()) {
  return limr::shim::ballot(limr::shim::kAny, mask, predicate != 0, where) != 0;
}
inline int __all_sync(unsigned mask, int predicate, const limr::shim::Where& where = limr::shim::Where::current()) {
  return limr::shim::ballot(limr::shim::kAll, mask, predicate != 0, where) == mask;
}
inline unsigned __reduce_add_sync(unsigned mask, unsigned value,
                                  const limr::shim::Where& where = limr::shim::Where::current()) {
  return limr::shim::reduce(limr::shim::kReduceAdd, mask, value, where);
}
inline unsigned __reduce_min_sync(unsigned mask, unsigned value,
                                  const limr::shim::Where& where = limr::shim::Where::current()) {
  return limr::shim::reduce(limr::shim::kReduceMin, mask, value, where);
}
inline unsigned __reduce_max_sync(unsigned mask, unsigned value,
                                  const limr::shim::Where& where = limr::shim::Where::current()) {
  return limr::shim::reduce(limr::shim::kReduceMax, mask, value, where);
}
