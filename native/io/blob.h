// native/io/blob.h - named byte sections with checksums: optimizer state.
//
//   file = "LIMRBLOB" | u32 version | u32 header length | header JSON | u64 XXH64 of all before
//          | for each section, in the header's order: its bytes, u64 XXH64 of them
//   header = {"signature": string, "step": int, "sections": [{"name": string, "bytes": int}, ..]}
// Numbers are little-endian. The header gives the exact size of the file, so truncation shows on opening; a flipped
// bit shows when its section is read. All of it is kFormat, naming file and section.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "io/file.h"
#include "io/xxhash64.h"

namespace limr {

struct BlobSection {
  std::string name;
  int64_t bytes = 0;
};

struct BlobHeader {
  std::string signature;  // what the state belongs to: model layout, dtypes; a reader compares it
  int64_t step = 0;       // optimizer steps taken
  std::vector<BlobSection> sections;
};

// Streams the sections in the header's order; the file appears in finish(). One thread.
class BlobWriter {
 public:
  BlobWriter(std::string path, BlobHeader header);
  // The next bytes of a section. Another section's turn or too many bytes is kInternal.
  void write(std::string_view section, const void* data, int64_t bytes);
  // Every section must be complete. fsyncs and renames.
  void finish();

 private:
  void close_full_sections();

  AtomicFile file_;
  BlobHeader header_;
  size_t current_ = 0;   // section
  int64_t written_ = 0;  // bytes of it
  XxHash64 hash_;
};

class BlobReader {
 public:
  // Validates everything but the sections' checksums.
  explicit BlobReader(std::string path);
  const std::string& path() const { return file_.path(); }
  const BlobHeader& header() const { return header_; }
  // kFormat when the file's signature is another; the message shows where they part.
  void expect_signature(std::string_view signature) const;
  // Byte length of a section; kFormat when there is none.
  int64_t bytes(std::string_view section) const;
  // The next bytes of a section, from its first one. Sections in any order, the bytes of one in order; the call that
  // reads a section's last byte verifies its checksum, and throws kFormat. Bytes past its end: kInternal.
  void read(std::string_view section, void* out, int64_t bytes);
  // Reads the whole file and checks every checksum; for a caller that must not end up with half of the state.
  void verify() const;

 private:
  struct Cursor {
    int64_t offset = 0;  // of the section's first byte in the file
    int64_t done = 0;    // bytes read
    XxHash64 hash;
  };
  size_t index_of(std::string_view section) const;
  void check(size_t section, uint64_t hash) const;

  InputFile file_;
  BlobHeader header_;
  std::vector<Cursor> cursors_;
};

}  // namespace limr
