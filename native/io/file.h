// native/io/file.h - files that are read at offsets, and files that appear whole or not at all.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace limr {

// Owns a file descriptor; -1 is none.
class Fd {
 public:
  Fd() = default;
  explicit Fd(int fd) : fd_(fd) {}
  Fd(Fd&& other) noexcept : fd_(other.release()) {}
  Fd& operator=(Fd&& other) noexcept;
  ~Fd() { reset(); }
  int get() const { return fd_; }
  explicit operator bool() const { return fd_ >= 0; }
  int release();
  void reset();  // closes; for descriptors whose data is synced or was only read

 private:
  int fd_ = -1;
};

// A regular file opened for reading. read_at is const and safe from several threads.
// Not a memory map: a weight is converted and so copied once in any case, and a mapped file that is cut short under us
// kills the process with SIGBUS where pread returns fewer bytes.
class InputFile {
 public:
  // kIo when the file is missing, unreadable, or not a regular file.
  explicit InputFile(std::string path);
  const std::string& path() const { return path_; }
  int64_t size() const { return size_; }  // bytes, when it was opened
  // Bytes [offset, offset + bytes). kFormat "was cut short" when the file ends before; kIo when reading fails.
  void read_at(void* out, int64_t bytes, int64_t offset) const;

 private:
  std::string path_;
  Fd fd_;
  int64_t size_ = 0;
};

// The whole of a small text file. kFormat above max_bytes.
std::string read_text_file(const std::string& path, int64_t max_bytes = 64 << 20);

bool file_exists(const std::string& path);
std::string join_path(const std::string& dir, std::string_view name);

// Writes <path>.tmp-<pid> and renames it over <path> in commit(); what was at <path> stays whole until then. Destroyed
// before commit, it removes the temporary file. Every failure is kIo, with a hint for a full disk, a quota, a
// read-only or missing folder. One thread.
class AtomicFile {
 public:
  explicit AtomicFile(std::string path);
  AtomicFile(AtomicFile&& other) noexcept;
  AtomicFile& operator=(AtomicFile&&) = delete;
  ~AtomicFile();
  const std::string& path() const { return path_; }
  int64_t bytes() const { return bytes_; }  // written so far
  void write(const void* data, int64_t bytes);
  void write(std::string_view text) { write(text.data(), int64_t(text.size())); }
  // Flushes, fsyncs and closes the temporary file, and frees the buffer. Idempotent; done by commit() when not before.
  void close();
  // close(), rename, fsync of the folder: after it returns, the file survives a power cut.
  void commit();

 private:
  void flush();
  void write_through(const char* data, int64_t bytes);

  std::string path_, temp_path_;
  Fd fd_;
  std::vector<char> buffer_;
  int64_t bytes_ = 0;
  bool closed_ = false, committed_ = false;
};

// AtomicFile in one call.
void write_text_file(const std::string& path, std::string_view text);

// Makes renames and unlinks in a folder durable. kIo.
void sync_folder(const std::string& dir);

}  // namespace limr
