// stop_points.cc - preloaded into a process under test (LD_PRELOAD): every system call that changes a file below one folder is
// a point, and at one of them the process gets a signal. It sees the writes of Node and of the native core alike.
//
//   LIMR_TEST_ROOT   the folder
//   LIMR_TEST_STOP   "file <n>": the signal comes before the n-th point, from 1; "half <n>": the n-th point is a write, and
//                    half of its bytes arrive before the signal. Anything else: only counts
//   LIMR_TEST_SIGNAL number of the signal. After one that does not end the process the call goes on
//   LIMR_TEST_TRACE  file that gets a line a point: "file <n> <call> <path below the folder>"
//
// Linux and its /proc. Copies that the kernel makes (copy_file_range) are points by the fchmod before and the calls after them.
#include <dlfcn.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace {

struct Settings {
  const char* root = getenv("LIMR_TEST_ROOT");
  const char* trace = getenv("LIMR_TEST_TRACE");
  long at = 0;
  bool half = false;
  int signal = SIGKILL;

  Settings() {
    if (const char* stop = getenv("LIMR_TEST_STOP")) {
      half = sscanf(stop, "half %ld", &at) == 1;
      if (!half && sscanf(stop, "file %ld", &at) != 1) at = 0;
    }
    if (const char* number = getenv("LIMR_TEST_SIGNAL")) signal = atoi(number);
  }
};

const Settings& settings() {
  static const Settings s;
  return s;
}

std::atomic<long> points{0};

enum class Verdict { kGoOn, kHalf };

void stop() { kill(getpid(), settings().signal); }

// Called before `call` changes `path`, which is absolute.
Verdict point(const char* call, const char* path, bool is_write = false) {
  const Settings& s = settings();
  const size_t length = s.root ? strlen(s.root) : 0;
  if (length == 0 || strncmp(path, s.root, length) != 0 || (path[length] != '/' && path[length] != 0))
    return Verdict::kGoOn;
  const long n = ++points;
  if (s.trace) {
    char line[4200];
    const int bytes = snprintf(line, sizeof line, "file %ld %s %s\n", n, call, path[length] ? path + length + 1 : ".");
    const int fd = int(syscall(SYS_openat, AT_FDCWD, s.trace, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666));
    if (fd < 0 || syscall(SYS_write, fd, line, size_t(bytes)) != bytes) abort();
    syscall(SYS_close, fd);
  }
  if (n != s.at) return Verdict::kGoOn;
  if (s.half && is_write) return Verdict::kHalf;
  stop();
  return Verdict::kGoOn;
}

Verdict point(const char* call, int fd, bool is_write = false) {
  char link[64], path[4096];
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  const ssize_t bytes = readlink(link, path, sizeof path - 1);
  if (bytes <= 0) return Verdict::kGoOn;
  path[bytes] = 0;
  return point(call, path, is_write);
}

template <typename F>
F* next(const char* name) {
  return reinterpret_cast<F*>(dlsym(RTLD_NEXT, name));
}

}  // namespace

extern "C" {

#define LIMR_OPEN(name)                                                \
  int name(const char* path, int flags, ...) {                         \
    static auto* const real = next<int(const char*, int, ...)>(#name); \
    va_list rest;                                                      \
    va_start(rest, flags);                                             \
    const auto mode = (flags & O_CREAT) ? va_arg(rest, unsigned) : 0u; \
    va_end(rest);                                                      \
    if (flags & (O_CREAT | O_TRUNC)) point("open", path);              \
    return real(path, flags, mode);                                    \
  }
LIMR_OPEN(open)
LIMR_OPEN(open64)
#undef LIMR_OPEN

#define LIMR_WRITE(name, more, arguments)                                          \
  ssize_t name(int fd, const void* data, size_t bytes more) {                      \
    static auto* const real = next<ssize_t(int, const void*, size_t more)>(#name); \
    const bool half = point("write", fd, true) == Verdict::kHalf;                  \
    if (half) bytes = (bytes + 1) / 2;                                             \
    const ssize_t written = real arguments;                                        \
    if (half) stop();                                                              \
    return written;                                                                \
  }
#define LIMR_COMMA ,
LIMR_WRITE(write, , (fd, data, bytes))
LIMR_WRITE(pwrite, LIMR_COMMA off_t offset, (fd, data, bytes, offset))
LIMR_WRITE(pwrite64, LIMR_COMMA off64_t offset, (fd, data, bytes, offset))
#undef LIMR_WRITE
#undef LIMR_COMMA

ssize_t writev(int fd, const iovec* parts, int count) {
  static auto* const real = next<ssize_t(int, const iovec*, int)>("writev");
  point("write", fd);
  return real(fd, parts, count);
}

int fsync(int fd) {
  static auto* const real = next<int(int)>("fsync");
  point("fsync", fd);
  return real(fd);
}

int fdatasync(int fd) {
  static auto* const real = next<int(int)>("fdatasync");
  point("fsync", fd);
  return real(fd);
}

int ftruncate(int fd, off_t bytes) {
  static auto* const real = next<int(int, off_t)>("ftruncate");
  point("truncate", fd);
  return real(fd, bytes);
}

int ftruncate64(int fd, off64_t bytes) {
  static auto* const real = next<int(int, off64_t)>("ftruncate64");
  point("truncate", fd);
  return real(fd, bytes);
}

int fchmod(int fd, mode_t mode) {
  static auto* const real = next<int(int, mode_t)>("fchmod");
  point("copy", fd);
  return real(fd, mode);
}

int rename(const char* from, const char* to) {
  static auto* const real = next<int(const char*, const char*)>("rename");
  point("rename", to);
  return real(from, to);
}

int mkdir(const char* path, mode_t mode) {
  static auto* const real = next<int(const char*, mode_t)>("mkdir");
  point("mkdir", path);
  return real(path, mode);
}

int unlink(const char* path) {
  static auto* const real = next<int(const char*)>("unlink");
  point("unlink", path);
  return real(path);
}

int rmdir(const char* path) {
  static auto* const real = next<int(const char*)>("rmdir");
  point("rmdir", path);
  return real(path);
}

}  // extern "C"
