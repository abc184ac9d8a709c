// test/cuda/shim/block.h - how the host shim runs a block: its threads are fibers on one OS thread, which change at barriers and
// at what a warp does together.
//
// What a device would leave undefined ends the process with a message that names it: a barrier that not all threads of a
// block reach, or reach at different lines; a lane missing from the mask of what its warp does together, or doing something
// else there; a lane outside of its own mask.
#pragma once
#include <cstdint>
#include <functional>
#include <memory>
#include <source_location>
#include <string>

namespace limr::shim {

struct Dim {
  unsigned x, y, z;
  constexpr Dim(unsigned x = 1, unsigned y = 1, unsigned z = 1) : x(x), y(y), z(z) {}
  int64_t count() const { return int64_t(x) * y * z; }
};
struct Index {
  unsigned x, y, z;
};

// All thread-local data of the shim. What else is thread-local in its library are the shared arrays of kernels.
struct Own {
  // What device code reads as threadIdx and so on.
  Index thread_index, block_index, block_dim, grid_dim;
  char* dynamic_shared;
  class Block* block;  // that this OS thread runs
  int last_error;
};
extern __thread Own own;

struct Grid {
  const char* kernel;  // its name, for messages
  Dim blocks, threads;
  size_t shared_bytes;         // dynamic
  std::function<void()> body;  // what a thread does
};
// Runs all blocks, on at most CUDA_SHIM_THREADS OS threads (1 unless set).
void run_grid(const Grid&);
// One block, on this OS thread; a Block may serve many, one after the other.
class Block;
std::unique_ptr<Block, void (*)(Block*)> make_block();
void run_block(Block& block, const Grid& grid, const Index& index);

// In which order the threads of a block run between barriers: in turn; one warp ahead of all others, the last first; at random.
enum class Schedule { kRoundRobin, kGreedy, kShuffled };
void set_schedule(Schedule schedule, uint64_t seed);

// Ends the process with this message; inside of a kernel, with its name and the thread's place.
[[noreturn]] void die(const std::string& message);

using Where = std::source_location;

// All threads of the block meet. Returns how many of them brought a predicate that holds.
int barrier(bool predicate, const Where& where);

// What the lanes of a warp do together. Each brings a request, which lies on its own stack; the last one to come runs it over those
// of the mask, and everyone goes on.
struct WarpOp {
  const char* name;
  void (*run)(uint32_t mask, void* const* requests);  // requests[lane], null outside of the mask
  bool orders_memory = false;
};
void warp_collective(const WarpOp& op, uint32_t mask, void* request, const Where& where);
int lane();  // of the thread that runs

// Asynchronous copies to shared memory of 4, 8 or 16 bytes, of which those from source_bytes on are zeros.
struct AsyncCopy {
  void* to;
  const void* from;
  int bytes, source_bytes;
};
void async_copy(const AsyncCopy& copy);
void async_commit();
// Hands over each copy that must have arrived when at most `pending` groups are under way.
void async_wait(int pending, void (*arrive)(const AsyncCopy&));

}  // namespace limr::shim
