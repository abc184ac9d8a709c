#include "io/file.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "files.h"

namespace limr::test {
namespace {

namespace fs = std::filesystem;

int64_t entries(const fs::path& dir) { return std::distance(fs::directory_iterator(dir), fs::directory_iterator()); }

std::string temp_name(const fs::path& path) { return cat(path.string(), ".tmp-", long(getpid())); }

// Limits the size of files this process may write; the kernel then fails a write in the middle, with EFBIG.
class FileSizeLimit {
 public:
  explicit FileSizeLimit(rlim_t bytes) : handler_(signal(SIGXFSZ, SIG_IGN)) {
    getrlimit(RLIMIT_FSIZE, &old_);
    const rlimit limit{bytes, old_.rlim_max};
    setrlimit(RLIMIT_FSIZE, &limit);
  }
  ~FileSizeLimit() {
    setrlimit(RLIMIT_FSIZE, &old_);
    signal(SIGXFSZ, handler_);
  }

 private:
  void (*handler_)(int);
  rlimit old_;
};

// Root may write anywhere, so it becomes nobody for a while.
class Unprivileged {
 public:
  Unprivileged() : root_(geteuid() == 0) {
    if (root_ && seteuid(65534) != 0) LIMR_SKIP("cannot drop the privileges of root");
  }
  ~Unprivileged() {
    if (root_) (void)!seteuid(0);
  }

 private:
  bool root_;
};

LIMR_TEST(input_file_reads_at_offsets) {
  const TempDir dir;
  const std::string path = (dir.path() / "a").string();
  write_text_file(path, "0123456789");
  const InputFile file(path);
  expect_eq(file.size(), int64_t(10));
  char text[4] = {};
  file.read_at(text, 3, 4);
  expect_eq(std::string(text), "456");
  file.read_at(text, 0, 10);
  expect_eq(read_text_file(path), "0123456789");
  const Error big = expect_throws(Code::kFormat, [&] { read_text_file(path, 9); });
  expect_contains(big.message(), "has 10 bytes, expected at most 9");
}

LIMR_TEST(input_file_that_is_cut_short_is_an_error) {
  const TempDir dir;
  const std::string path = (dir.path() / "a").string();
  write_text_file(path, std::string(5000, 'x'));
  const InputFile file(path);
  fs::resize_file(path, 1000);
  std::string text(5000, ' ');
  const Error e = expect_throws(Code::kFormat, [&] { file.read_at(text.data(), 3000, 500); });
  expect_contains(e.message(), path + " was cut short: it ends at byte 1000, and bytes 500 to 3500 are needed");
  expect(!e.hint().empty());
}

LIMR_TEST(input_file_must_be_a_readable_regular_file) {
  const TempDir dir;
  const std::string absent = (dir.path() / "absent").string();
  const Error e = expect_throws(Code::kIo, [&] { InputFile file(absent); });
  expect_contains(e.message(), "cannot open " + absent + ": No such file");
  expect(!e.hint().empty());
  expect_contains(expect_throws(Code::kIo, [&] { InputFile file(dir.path().string()); }).message(),
                  "not a regular file");
  const std::string fifo = (dir.path() / "fifo").string();
  expect_eq(mkfifo(fifo.c_str(), 0600), 0);
  expect_contains(expect_throws(Code::kIo, [&] { InputFile file(fifo); }).message(), "not a regular file");
}

LIMR_TEST(atomic_file_appears_whole_or_not_at_all) {
  const TempDir dir;
  const fs::path path = dir.path() / "a";
  write_text_file(path.string(), "old");
  {
    AtomicFile file(path.string());
    file.write("new");
    expect_eq(read_bytes(path), "old");
    expect(fs::exists(temp_name(path)));
  }
  expect_eq(read_bytes(path), "old");
  expect_eq(entries(dir.path()), int64_t(1));
  {
    AtomicFile file(path.string());
    file.write("new");
    AtomicFile moved(std::move(file));
    moved.write("er");
    expect_eq(moved.bytes(), int64_t(5));
    moved.close();
    moved.close();
    moved.commit();
  }
  expect_eq(read_bytes(path), "newer");
  expect_eq(entries(dir.path()), int64_t(1));
}

LIMR_TEST(atomic_file_keeps_order_around_its_buffer) {
  const TempDir dir;
  const fs::path path = dir.path() / "a";
  std::string want;
  AtomicFile file(path.string());
  for (const size_t bytes : {1u, 1048575u, 1u, 1048576u, 3000000u, 7u, 0u, 1048577u}) {
    const std::string part(bytes, char('a' + want.size() % 26));
    want += part;
    file.write(part);
  }
  file.commit();
  expect(read_bytes(path) == want);
  expect_throws(Code::kInternal, [&] { file.write("after commit"); });
}

LIMR_TEST(atomic_file_replaces_what_a_killed_process_left) {
  const TempDir dir;
  const fs::path path = dir.path() / "a";
  std::ofstream(temp_name(path)) << "a longer text of a process that was killed";
  write_text_file(path.string(), "short");
  expect_eq(read_bytes(path), "short");
  expect_eq(entries(dir.path()), int64_t(1));
}

LIMR_TEST(atomic_file_on_a_full_device_leaves_nothing) {
  if (access("/dev/full", W_OK) != 0) LIMR_SKIP("no /dev/full");
  const TempDir dir;
  const fs::path path = dir.path() / "a";
  fs::create_symlink("/dev/full", temp_name(path));  // every write fails with ENOSPC
  const Error e = expect_throws(Code::kIo, [&] { write_text_file(path.string(), "text"); });
  expect_contains(e.message(), "cannot write " + path.string() + ": No space left on device");
  expect_contains(e.hint(), "free some space");
  expect_eq(entries(dir.path()), int64_t(0));
}

LIMR_TEST(atomic_file_that_fails_in_the_middle_leaves_the_old_one) {
  const TempDir dir;
  const fs::path path = dir.path() / "a";
  write_text_file(path.string(), "old");
  {
    const FileSizeLimit limit(3 << 20);
    const Error e = expect_throws(Code::kIo, [&] { write_text_file(path.string(), std::string(8 << 20, 'x')); });
    expect_contains(e.message(), "File too large");
    expect_contains(e.hint(), "ulimit");
  }
  expect_eq(read_bytes(path), "old");
  expect_eq(entries(dir.path()), int64_t(1));
}

#ifdef __linux__
LIMR_TEST(atomic_file_on_a_small_file_system) {
  const TempDir dir;
  const std::string mount_point = (dir.path() / "mnt").string();
  fs::create_directory(mount_point);
  if (mount("none", mount_point.c_str(), "tmpfs", 0, "size=256k") != 0) LIMR_SKIP("may not mount a tmpfs");
  const std::string path = join_path(mount_point, "a");
  Error e(Code::kInternal, "nothing thrown");
  try {
    write_text_file(path, std::string(4 << 20, 'x'));
  } catch (const Error& thrown) {
    e = thrown;
  }
  const int64_t left = entries(mount_point);
  umount(mount_point.c_str());
  expect(e.code() == Code::kIo, e.message());
  expect_contains(e.message(), "No space left on device");
  expect_eq(left, int64_t(0));
}
#endif

LIMR_TEST(atomic_file_in_a_read_only_or_missing_folder) {
  const TempDir dir;
  fs::permissions(dir.path(), fs::perms(0755));
  const fs::path folder = dir.path() / "ro";
  fs::create_directory(folder);
  fs::permissions(folder, fs::perms(0555));
  {
    const Unprivileged nobody;
    const Error e = expect_throws(Code::kIo, [&] { AtomicFile file((folder / "a").string()); });
    expect_contains(e.message(), "cannot create " + (folder / "a").string());
    expect_contains(e.message(), "Permission denied");
    expect_contains(e.hint(), "permissions");
  }
  expect_eq(entries(folder), int64_t(0));
  const Error e = expect_throws(Code::kIo, [&] { AtomicFile file((dir.path() / "no" / "a").string()); });
  expect_contains(e.message(), "No such file or directory");
  expect_contains(e.hint(), "folder must exist");
}

LIMR_TEST(atomic_file_cannot_replace_a_folder) {
  const TempDir dir;
  const fs::path path = dir.path() / "a";
  fs::create_directory(path);
  expect_contains(expect_throws(Code::kIo, [&] { write_text_file(path.string(), "x"); }).message(), "Is a directory");
  expect_eq(entries(dir.path()), int64_t(1));
}

LIMR_TEST(file_names) {
  const TempDir dir;
  expect(file_exists(dir.path().string()) && !file_exists((dir.path() / "a" / "b").string()));
  expect_eq(join_path("a", "b") + join_path("a/", "b") + join_path("", "b"), "a/ba/bb");
  const Fd fd(open("/dev/null", O_RDONLY | O_CLOEXEC));
  expect(bool(fd) && !Fd());
}

}  // namespace
}  // namespace limr::test
