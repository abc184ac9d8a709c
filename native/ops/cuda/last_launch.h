// native/ops/cuda/last_launch.h - the kernel that was launched last, for messages about what failed since. Launches come from one thread at
// a time (table.h). Not thread-local: the host shim poisons what is, as a block's shared memory.
#pragma once
#include <cuda_runtime.h>

#include <cstddef>

namespace limr::cuda {

struct LastLaunch {
  const char* kernel = nullptr;
  unsigned grid[3] = {}, block[3] = {};
  size_t shared_bytes = 0;
};
inline LastLaunch last_launch;

// Remembers a launch on its way; returns the stream.
template <class StreamHandle>
StreamHandle noted(const char* kernel, dim3 grid, dim3 block, size_t shared_bytes, StreamHandle stream) {
  last_launch = {kernel, {grid.x, grid.y, grid.z}, {block.x, block.y, block.z}, shared_bytes};
  return stream;
}

}  // namespace limr::cuda
