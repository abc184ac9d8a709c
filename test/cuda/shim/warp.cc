#include "warp.h"

#include <bit>
#include <cstdio>

#include "matrix.h"

namespace limr::shim {
namespace {

template <typename Request, typename Body>
void each(uint32_t mask, void* const* requests, Body&& body) {
  for (uint32_t left = mask; left; left &= left - 1) {
    const int lane = std::countr_zero(left);
    body(lane, *static_cast<Request*>(requests[lane]));
  }
}

void run_shuffle(uint32_t mask, void* const* requests) {
  each<Shuffle>(mask, requests, [&](int lane, Shuffle& s) {
    if (!requests[s.source])
      die("lane " + std::to_string(lane) + " shuffles from lane " + std::to_string(s.source) + ", outside of the mask");
    s.got = static_cast<const Shuffle*>(requests[s.source])->given;
  });
}

void run_vote(uint32_t mask, void* const* requests) {
  uint32_t ballot = 0;
  each<Vote>(mask, requests, [&](int lane, Vote& v) { ballot |= uint32_t(v.predicate) << lane; });
  each<Vote>(mask, requests, [&](int, Vote& v) { v.ballot = ballot; });
}

void run_nothing(uint32_t, void* const*) {}

template <typename Combine>
void run_reduce(uint32_t mask, void* const* requests, uint32_t start, Combine&& combine) {
  each<Reduce>(mask, requests, [&](int, Reduce& r) { start = combine(start, r.value); });
  each<Reduce>(mask, requests, [&](int, Reduce& r) { r.value = start; });
}
void run_add(uint32_t mask, void* const* requests) {
  run_reduce(mask, requests, 0, [](uint32_t a, uint32_t b) { return a + b; });
}
void run_min(uint32_t mask, void* const* requests) {
  run_reduce(mask, requests, ~0u, [](uint32_t a, uint32_t b) { return b < a ? b : a; });
}
void run_max(uint32_t mask, void* const* requests) {
  run_reduce(mask, requests, 0, [](uint32_t a, uint32_t b) { return a < b ? b : a; });
}

float widen(uint32_t pair, int half) { return std::bit_cast<float>(half ? pair & 0xffff0000u : pair << 16); }

// D[16,8] = A[16,16] B[16,8] + C. Fragments as in the PTX manual, "Matrix Fragments for mma.m16n8k16": group = lane / 4,
// t = lane % 4; A holds rows group and group + 8, columns 2t, 2t+1 and 2t+8, 2t+9; B rows as A's columns, column group;
// C and D rows group and group + 8, columns 2t, 2t+1. f32 sums over k in ascending order.
void run_mma(uint32_t, void* const* requests) {
  float a[16][16], b[16][8], d[16][8];
  each<MmaBf16>(~0u, requests, [&](int lane, MmaBf16& m) {
    const int group = lane / 4, t = lane % 4;
    for (int i = 0; i < 2; ++i) {
      a[group][2 * t + i] = widen(m.a[0], i), a[group + 8][2 * t + i] = widen(m.a[1], i);
      a[group][2 * t + 8 + i] = widen(m.a[2], i), a[group + 8][2 * t + 8 + i] = widen(m.a[3], i);
      b[2 * t + i][group] = widen(m.b[0], i), b[2 * t + 8 + i][group] = widen(m.b[1], i);
      d[group][2 * t + i] = m.c[i], d[group + 8][2 * t + i] = m.c[2 + i];
    }
  });
  for (int row = 0; row < 16; ++row)
    for (int k = 0; k < 16; ++k)
      for (int col = 0; col < 8; ++col) d[row][col] += a[row][k] * b[k][col];
  each<MmaBf16>(~0u, requests, [&](int lane, MmaBf16& m) {
    const int group = lane / 4, t = lane % 4;
    for (int i = 0; i < 2; ++i) m.c[i] = d[group][2 * t + i], m.c[2 + i] = d[group + 8][2 * t + i];
  });
}

// Matrix i of count: its row r is what lane 8i + r brought. Lane l gets elements 2(l%4) and the next of row l/4; transposed,
// row l/4 of the transpose.
void distribute(void* const* requests, bool transposed) {
  const int count = static_cast<const LoadMatrix*>(requests[0])->count;
  uint16_t matrices[4][8][8];
  for (int i = 0; i < count; ++i)
    for (int row = 0; row < 8; ++row)
      std::memcpy(matrices[i][row], static_cast<const LoadMatrix*>(requests[8 * i + row])->row, 16);
  each<LoadMatrix>(~0u, requests, [&](int lane, LoadMatrix& m) {
    const int row = lane / 4, col = lane % 4 * 2;
    for (int i = 0; i < count; ++i) {
      const uint32_t low = transposed ? matrices[i][col][row] : matrices[i][row][col];
      const uint32_t high = transposed ? matrices[i][col + 1][row] : matrices[i][row][col + 1];
      m.out[i] = low | high << 16;
    }
  });
}
void run_ldmatrix(uint32_t, void* const* requests) { distribute(requests, false); }
void run_ldmatrix_trans(uint32_t, void* const* requests) { distribute(requests, true); }

}  // namespace

const WarpOp kShuffleIndex{"__shfl_sync", run_shuffle}, kShuffleUp{"__shfl_up_sync", run_shuffle},
    kShuffleDown{"__shfl_down_sync", run_shuffle}, kShuffleXor{"__shfl_xor_sync", run_shuffle};
const WarpOp kBallot{"__ballot_sync", run_vote}, kAny{"__any_sync", run_vote}, kAll{"__all_sync", run_vote};
const WarpOp kSyncWarp{"__syncwarp", run_nothing, true};
const WarpOp kReduceAdd{"__reduce_add_sync", run_add}, kReduceMin{"__reduce_min_sync", run_min},
    kReduceMax{"__reduce_max_sync", run_max};
const WarpOp kMmaBf16{"mma.m16n8k16", run_mma}, kLoadMatrix{"ldmatrix", run_ldmatrix},
    kLoadMatrixTrans{"ldmatrix.trans", run_ldmatrix_trans};

}  // namespace limr::shim
