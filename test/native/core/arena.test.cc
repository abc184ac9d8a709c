#include "core/arena.h"

#include <cstring>
#include <random>

#include "test.h"

namespace limr::test {
namespace {

// A phase with scopes, as the model's code is: the same for planning and for running.
void phase(Arena& arena, uint32_t seed, bool touch) {
  std::mt19937 rng(seed);
  for (int layer = 0; layer < 5; ++layer) {
    const ArenaScope scope(arena);
    for (int i = 0; i < 4; ++i) {
      const size_t bytes = rng() % 5000;
      void* p = arena.alloc(bytes);
      if (touch) std::memset(p, 0xab, bytes);
    }
    const View v = arena.matrix(DType::kBf16, 1 + rng() % 7, 33);
    if (touch) std::memset(v.data, 0xcd, size_t(v.rows * v.cols) * 2);
  }
}

LIMR_TEST(what_a_planner_counts_is_what_a_phase_takes) {
  for (uint32_t seed = 0; seed < 20; ++seed) {
    Arena plan = Arena::planner();
    phase(plan, seed, false);
    expect(plan.planning() && plan.capacity() == 0);
    Arena arena;
    arena.reserve(plan.peak());
    phase(arena, seed, true);
    expect_eq(arena.peak(), plan.peak(), cat("seed=", seed));
    expect_eq(arena.mark(), size_t(0));

    Arena short_by_one;
    short_by_one.reserve(plan.peak() - 1);
    const Error e = expect_throws(
        Code::kMemory, [&] { phase(short_by_one, seed, true); }, cat("seed=", seed));
    expect_contains(e.message(), cat("workspace of ", plan.peak() - 1, " bytes is spent"));
  }
}

LIMR_TEST(allocations_are_aligned_and_apart) {
  Arena arena;
  arena.reserve(10'000);
  char* before = nullptr;
  for (size_t bytes : {1, 63, 64, 65, 1000}) {
    char* p = static_cast<char*>(arena.alloc(bytes));
    expect_eq(reinterpret_cast<uintptr_t>(p) % 64, uintptr_t(0));
    expect(!before || p > before);
    std::memset(p, 1, bytes);
    before = p + bytes - 1;
  }
  const View v = arena.matrix(DType::kF32, 3, 5);
  expect_eq(v.shape(), "F32[3, 5]");
  expect_eq(v.stride, int64_t(5));
}

LIMR_TEST(a_scope_gives_back_what_it_took) {
  Arena arena;
  arena.reserve(4096);
  void* outer = arena.alloc(100);
  void* inner;
  {
    const ArenaScope scope(arena);
    inner = arena.alloc(200);
  }
  expect(arena.alloc(50) == inner && inner != outer);
}

LIMR_TEST(an_arena_grows_only_while_empty) {
  Arena arena;
  arena.reserve(1024);
  const size_t mark = arena.mark();
  arena.alloc(10);
  arena.reserve(512);  // fits already
  expect_throws(Code::kInternal, [&] { arena.reserve(2048); });
  arena.release(mark);
  arena.reserve(2048);
  expect(arena.capacity() >= 2048);
}

LIMR_TEST(arenas_and_buffers_move) {
  Arena a;
  a.reserve(256);
  int* p = a.array<int>(4);
  p[3] = 42;
  const Arena b = std::move(a);
  expect_eq(p[3], 42);
  expect_eq(a.capacity(), size_t(0));
  expect(b.capacity() >= 256);

  Buffer first(1000);
  for (size_t i = 0; i < first.bytes(); ++i) expect(first.as<char>()[i] == 0);
  first.as<char>()[999] = 7;
  Buffer second = std::move(first);
  expect(first.data() == nullptr && first.bytes() == 0);
  expect(second.as<char>()[999] == 7);
  second = Buffer(10);
  expect_eq(second.bytes(), size_t(10));
  expect(Buffer(0).data() == nullptr);
}

LIMR_TEST(memory_the_system_refuses_is_an_error) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  LIMR_SKIP("a sanitizer ends the process where the system would refuse");
#endif
  const Error e = expect_throws(Code::kMemory, [] { Buffer(size_t(1) << 60); });
  expect_contains(e.message(), "the system refused");
  Arena arena;
  expect_throws(Code::kMemory, [&] { arena.reserve(size_t(1) << 60); });
  expect_eq(arena.capacity(), size_t(0));
  arena.reserve(64);  // still of use
  arena.alloc(64);
}

}  // namespace
}  // namespace limr::test
