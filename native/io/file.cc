#include "io/file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <system_error>
#include <utility>

#include "core/error.h"

namespace limr {
namespace {

constexpr size_t kBufferBytes = 1 << 20;
constexpr int64_t kMaxTransfer = 1 << 30;  // Linux moves at most 0x7ffff000 bytes a call, macOS refuses 2 GB

const char* hint_of(int error) {
  switch (error) {
    case ENOENT:
      return "Check the path; the folder must exist.";
    case EACCES:
    case EPERM:
      return "Check the permissions of the file and its folder.";
    case EROFS:
      return "The file system is read-only; choose another folder.";
    case ENOSPC:
      return "The disk is full: free some space, or choose a folder on another disk. Nothing half-written was left.";
    case EDQUOT:
      return "The disk quota is used up: free some space, or choose another folder. Nothing half-written was left.";
    case EFBIG:
      return "The file is larger than the file system or the limit of this process (ulimit -f) allows.";
    case EMFILE:
    case ENFILE:
      return "Too many open files: raise the limit (ulimit -n).";
    case EISDIR:
    case ENOTDIR:
      return "Check the path: a file stands where a folder is needed, or the other way round.";
    default:
      return "";
  }
}

// "cannot <action> <path>: No space left on device"
[[noreturn]] void fail_io(const char* action, const std::string& path, int error) {
  throw Error(Code::kIo, cat("cannot ", action, " ", path, ": ", std::generic_category().message(error)),
              hint_of(error));
}

template <typename Call>
auto retry(const Call& call) {
  for (;;) {
    const auto result = call();
    if (result >= 0 || errno != EINTR) return result;
  }
}

// Waits until the data is on the device, not only in the device's cache where the system knows the difference (macOS).
int sync_fd(int fd) {
#ifdef F_FULLFSYNC
  if (retry([&] { return ::fcntl(fd, F_FULLFSYNC); }) == 0) return 0;
#endif
  return retry([&] { return ::fsync(fd); });
}

std::string folder_of(const std::string& path) {
  const size_t slash = path.find_last_of('/');
  return slash == path.npos ? "." : slash == 0 ? "/" : path.substr(0, slash);
}

}  // namespace

Fd& Fd::operator=(Fd&& other) noexcept {
  if (this != &other) {
    reset();
    fd_ = other.release();
  }
  return *this;
}

int Fd::release() { return std::exchange(fd_, -1); }

void Fd::reset() {
  if (fd_ >= 0) ::close(release());
}

InputFile::InputFile(std::string path) : path_(std::move(path)) {
  // Non-blocking, so that opening a FIFO returns and can be refused.
  fd_ = Fd(retry([&] { return ::open(path_.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK); }));
  if (!fd_) fail_io("open", path_, errno);
  struct stat status;
  if (::fstat(fd_.get(), &status) != 0) fail_io("open", path_, errno);
  LIMR_CHECK(S_ISREG(status.st_mode), kIo, cat(path_, " is not a regular file"), hint_of(ENOTDIR));
  size_ = status.st_size;
}

void InputFile::read_at(void* out, int64_t bytes, int64_t offset) const {
  LIMR_ASSERT(bytes >= 0 && offset >= 0);
  int64_t done = 0;
  while (done < bytes) {
    const size_t want = size_t(std::min(bytes - done, kMaxTransfer));
    const ssize_t got =
        retry([&] { return ::pread(fd_.get(), static_cast<char*>(out) + done, want, off_t(offset + done)); });
    if (got < 0) fail_io("read", path_, errno);
    LIMR_CHECK(got > 0, kFormat,
               cat(path_, " was cut short: it ends at byte ", offset + done, ", and bytes ", offset, " to ",
                   offset + bytes, " are needed"),
               "Something truncated the file; copy or download it again, and leave it alone while it is in use.");
    done += got;
  }
}

std::string read_text_file(const std::string& path, int64_t max_bytes) {
  const InputFile file(path);
  LIMR_CHECK(file.size() <= max_bytes, kFormat, cat(path, " has ", file.size(), " bytes, expected at most ", max_bytes),
             "Is it the right file?");
  std::string text(size_t(file.size()), '\0');
  file.read_at(text.data(), file.size(), 0);
  return text;
}

bool file_exists(const std::string& path) {
  struct stat status;
  if (::stat(path.c_str(), &status) == 0) return true;
  if (errno != ENOENT && errno != ENOTDIR) fail_io("look up", path, errno);
  return false;
}

std::string join_path(const std::string& dir, std::string_view name) {
  return dir.empty() ? std::string(name) : cat(dir, dir.ends_with('/') ? "" : "/", name);
}

AtomicFile::AtomicFile(std::string path)
    : path_(std::move(path)), temp_path_(cat(path_, ".tmp-", static_cast<long>(::getpid()))) {
  buffer_.reserve(kBufferBytes);
  // Truncating, not exclusive: a killed process of the same id (in a container, often 1) may have left its own.
  fd_ = Fd(retry([&] { return ::open(temp_path_.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666); }));
  if (!fd_) fail_io("create", temp_path_, errno);
}

AtomicFile::AtomicFile(AtomicFile&& other) noexcept
    : path_(std::move(other.path_)),
      temp_path_(std::move(other.temp_path_)),
      fd_(std::move(other.fd_)),
      buffer_(std::move(other.buffer_)),
      bytes_(other.bytes_),
      closed_(other.closed_),
      committed_(std::exchange(other.committed_, true)) {}

AtomicFile::~AtomicFile() {
  if (committed_) return;
  fd_.reset();
  ::unlink(temp_path_.c_str());
}

void AtomicFile::write(const void* data, int64_t bytes) {
  LIMR_ASSERT(!closed_ && !committed_ && bytes >= 0);
  const char* from = static_cast<const char*>(data);
  bytes_ += bytes;
  if (int64_t(buffer_.size()) + bytes > int64_t(kBufferBytes)) flush();
  if (bytes >= int64_t(kBufferBytes)) {
    write_through(from, bytes);
  } else {
    buffer_.insert(buffer_.end(), from, from + bytes);
  }
}

void AtomicFile::flush() {
  write_through(buffer_.data(), int64_t(buffer_.size()));
  buffer_.clear();
}

void AtomicFile::write_through(const char* data, int64_t bytes) {
  while (bytes > 0) {
    const ssize_t put = retry([&] { return ::write(fd_.get(), data, size_t(std::min(bytes, kMaxTransfer))); });
    if (put < 0) fail_io("write", path_, errno);
    data += put;
    bytes -= put;
  }
}

void AtomicFile::close() {
  if (closed_) return;
  flush();
  std::vector<char>().swap(buffer_);
  if (sync_fd(fd_.get()) != 0) fail_io("write", path_, errno);
  // Network file systems report a failed write here at the latest. After EINTR the descriptor is gone on Linux.
  if (::close(fd_.release()) != 0 && errno != EINTR) fail_io("write", path_, errno);
  closed_ = true;
}

void AtomicFile::commit() {
  LIMR_ASSERT(!committed_);
  close();
  if (::rename(temp_path_.c_str(), path_.c_str()) != 0) fail_io("rename the temporary file to", path_, errno);
  committed_ = true;
  sync_folder(folder_of(path_));
}

void write_text_file(const std::string& path, std::string_view text) {
  AtomicFile file(path);
  file.write(text);
  file.commit();
}

void sync_folder(const std::string& dir) {
  const Fd fd(retry([&] { return ::open(dir.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC); }));
  if (!fd) fail_io("open the folder", dir, errno);
  // EINVAL: this file system (some network ones) has no sync for folders, and makes renames durable by itself or never.
  if (sync_fd(fd.get()) != 0 && errno != EINVAL) fail_io("sync the folder", dir, errno);
}

}  // namespace limr
