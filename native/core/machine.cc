#include "core/machine.h"

#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <string>
#include <thread>

#if defined(__linux__)
#include <sched.h>
#endif

namespace limr {
namespace {

// Calls f(folder) for this process's cgroup (v2) and every one above it.
template <typename F>
void each_cgroup(F f) {
  std::ifstream in("/proc/self/cgroup");
  for (std::string line; std::getline(in, line);) {
    if (line.rfind("0::", 0) != 0) continue;
    for (std::string path = line.substr(3);;) {
      f("/sys/fs/cgroup" + (path == "/" ? "" : path));
      if (path.empty() || path == "/") return;
      path.erase(path.rfind('/'));
    }
  }
}

}  // namespace

int available_cpus() {
  int cpus = std::max(1, int(std::thread::hardware_concurrency()));
#if defined(__linux__)
  cpu_set_t set;
  if (sched_getaffinity(0, sizeof set, &set) == 0) cpus = std::max(1, CPU_COUNT(&set));
#endif
  each_cgroup([&](const std::string& dir) {
    std::ifstream in(dir + "/cpu.max");
    std::string quota;
    double period;
    if (in >> quota >> period && quota != "max" && period > 0)
      cpus = std::clamp(int(std::stod(quota) / period + 0.5), 1, cpus);
  });
  return cpus;
}

int64_t available_memory() {
  int64_t bytes = int64_t(sysconf(_SC_PHYS_PAGES)) * sysconf(_SC_PAGE_SIZE);
  const auto limit = [&](const std::string& file) {
    std::ifstream in(file);
    int64_t n;
    if (in >> n && n > 0) bytes = std::min(bytes, n);  // "max" does not parse: no limit
  };
  each_cgroup([&](const std::string& dir) { limit(dir + "/memory.max"); });
  limit("/sys/fs/cgroup/memory/memory.limit_in_bytes");  // cgroup v1
  return bytes;
}

}  // namespace limr
