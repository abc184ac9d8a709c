// native/core/machine.h - what this process may use of the machine.
#pragma once
#include <cstdint>

namespace limr {

// CPUs by affinity and by the cgroup's quota, whichever is fewer; at least 1.
int available_cpus();
// Bytes of physical memory, or the cgroup's limit where that is lower.
int64_t available_memory();

}  // namespace limr
