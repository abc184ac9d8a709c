#include "io/blob.h"

#include <algorithm>
#include <cstring>
#include <limits>
#include <utility>

#include "core/error.h"
#include "io/json.h"

namespace limr {
namespace {

constexpr char kMagic[8] = {'L', 'I', 'M', 'R', 'B', 'L', 'O', 'B'};
constexpr uint32_t kVersion = 1;
constexpr int64_t kPrefixBytes = sizeof kMagic + 2 * sizeof(uint32_t);
constexpr int64_t kHashBytes = sizeof(uint64_t);
constexpr int64_t kMaxHeaderBytes = 64 << 20;
constexpr int64_t kChunkBytes = 1 << 20;
constexpr const char* kHint = "The file is damaged or not of this engine; take an older checkpoint.";

std::string header_text(const BlobHeader& header) {
  Json::Array sections;
  for (const auto& section : header.sections)
    sections.push_back(Json::Object{{"name", section.name}, {"bytes", section.bytes}});
  return dump_json(Json::Object{{"signature", header.signature}, {"step", header.step}, {"sections", sections}});
}

const Json& member(const Json& object, std::string_view key, Json::Type type, const std::string& path) {
  const Json* value = object.is_object() ? object.find(key) : nullptr;
  LIMR_CHECK(value && value->type() == type, kFormat,
             cat(path, ": its header ", value ? "has a wrong " : "lacks ", "\"", key, "\""), kHint);
  return *value;
}

BlobHeader parse_header(std::string_view text, const std::string& path, int64_t base) {
  const Json json = parse_json(text, path, {}, base);
  BlobHeader header;
  header.signature = member(json, "signature", Json::Type::kString, path).as_string();
  header.step = member(json, "step", Json::Type::kInt, path).as_int();
  std::vector<std::string> names;
  for (const Json& section : member(json, "sections", Json::Type::kArray, path).as_array()) {
    header.sections.push_back({member(section, "name", Json::Type::kString, path).as_string(),
                               member(section, "bytes", Json::Type::kInt, path).as_int()});
    names.push_back(header.sections.back().name);
  }
  std::sort(names.begin(), names.end());
  const auto twice = std::adjacent_find(names.begin(), names.end());
  LIMR_CHECK(twice == names.end(), kFormat, cat(path, ": section ", show_json(*twice), " occurs twice"), kHint);
  return header;
}

}  // namespace

BlobWriter::BlobWriter(std::string path, BlobHeader header) : file_(std::move(path)), header_(std::move(header)) {
  for (const auto& section : header_.sections) LIMR_ASSERT(section.bytes >= 0);
  const std::string text = header_text(header_);
  LIMR_CHECK(int64_t(text.size()) <= kMaxHeaderBytes, kInternal,
             cat(file_.path(), ": header of ", text.size(), " bytes"));
  std::string head(kMagic, sizeof kMagic);
  const uint32_t numbers[2] = {kVersion, uint32_t(text.size())};
  head.append(reinterpret_cast<const char*>(numbers), sizeof numbers).append(text);
  const uint64_t hash = xxhash64(head.data(), head.size());
  file_.write(head);
  file_.write(&hash, kHashBytes);
  close_full_sections();
}

void BlobWriter::close_full_sections() {
  for (; current_ < header_.sections.size() && written_ == header_.sections[current_].bytes; ++current_, written_ = 0) {
    const uint64_t hash = hash_.digest();
    file_.write(&hash, kHashBytes);
    hash_ = XxHash64();
  }
}

void BlobWriter::write(std::string_view section, const void* data, int64_t bytes) {
  if (bytes == 0) return;
  const bool expected = current_ < header_.sections.size() && header_.sections[current_].name == section;
  LIMR_CHECK(expected && bytes > 0 && bytes <= header_.sections[current_].bytes - written_, kInternal,
             cat(file_.path(), ": ", bytes, " bytes for section ", section, " after ", written_, " of ",
                 current_ < header_.sections.size() ? header_.sections[current_].name : "no section"));
  file_.write(data, bytes);
  hash_.update(data, size_t(bytes));
  written_ += bytes;
  close_full_sections();
}

void BlobWriter::finish() {
  LIMR_CHECK(current_ == header_.sections.size(), kInternal,
             cat(file_.path(), ": section ", header_.sections[current_].name, " is not complete"));
  file_.commit();
}

BlobReader::BlobReader(std::string path) : file_(std::move(path)) {
  LIMR_CHECK(file_.size() >= kPrefixBytes + kHashBytes, kFormat,
             cat(this->path(), " has ", file_.size(), " bytes, too few for a header"), kHint);
  char prefix[kPrefixBytes];
  file_.read_at(prefix, kPrefixBytes, 0);
  LIMR_CHECK(std::memcmp(prefix, kMagic, sizeof kMagic) == 0, kFormat,
             cat(this->path(), " does not begin with \"LIMRBLOB\""), kHint);
  uint32_t numbers[2];
  std::memcpy(numbers, prefix + sizeof kMagic, sizeof numbers);
  LIMR_CHECK(numbers[0] == kVersion, kFormat, cat(this->path(), " has version ", numbers[0], ", expected ", kVersion),
             "It was written by another version of this engine.");
  const int64_t text_bytes = numbers[1], head_bytes = kPrefixBytes + text_bytes;
  LIMR_CHECK(text_bytes <= kMaxHeaderBytes && head_bytes + kHashBytes <= file_.size(), kFormat,
             cat(this->path(), " was cut short: its header needs ", head_bytes + kHashBytes, " bytes, the file has ",
                 file_.size()),
             kHint);

  std::string head(size_t(head_bytes + kHashBytes), '\0');
  file_.read_at(head.data(), head_bytes + kHashBytes, 0);
  uint64_t hash;
  std::memcpy(&hash, head.data() + head_bytes, kHashBytes);
  LIMR_CHECK(hash == xxhash64(head.data(), size_t(head_bytes)), kFormat,
             cat(this->path(), ": the checksum of its header does not match"), kHint);
  header_ = parse_header(std::string_view(head).substr(kPrefixBytes, size_t(text_bytes)), this->path(), kPrefixBytes);

  int64_t offset = head_bytes + kHashBytes;
  for (const auto& section : header_.sections) {
    cursors_.push_back({.offset = offset, .done = 0, .hash = XxHash64()});
    const int64_t left = std::numeric_limits<int64_t>::max() - kHashBytes - offset;
    LIMR_CHECK(section.bytes >= 0 && section.bytes <= left, kFormat,
               cat(this->path(), ": section ", show_json(section.name), " has ", section.bytes, " bytes"), kHint);
    offset += section.bytes + kHashBytes;
  }
  LIMR_CHECK(offset == file_.size(), kFormat,
             cat(this->path(), offset > file_.size() ? " was cut short: it has " : " has ", file_.size(),
                 " bytes, its header describes ", offset),
             kHint);
}

void BlobReader::expect_signature(std::string_view signature) const {
  const std::string_view found = header_.signature;
  if (found == signature) return;
  const auto part =
      size_t(std::mismatch(found.begin(), found.end(), signature.begin(), signature.end()).first - found.begin());
  const size_t from = part < 24 ? 0 : part - 24;
  const auto show = [&](std::string_view s) { return cat('"', from ? "..." : "", s.substr(from, 64), '"'); };
  throw Error(
      Code::kFormat,
      cat(path(), " belongs to another model or configuration: found ", show(found), ", expected ", show(signature)),
      "Resume with the model that the checkpoint was made with.");
}

size_t BlobReader::index_of(std::string_view section) const {
  const auto& sections = header_.sections;
  const auto it = std::find_if(sections.begin(), sections.end(), [&](const auto& s) { return s.name == section; });
  LIMR_CHECK(it != sections.end(), kFormat, cat(path(), " has no section \"", section, "\""), kHint);
  return size_t(it - sections.begin());
}

int64_t BlobReader::bytes(std::string_view section) const { return header_.sections[index_of(section)].bytes; }

void BlobReader::check(size_t section, uint64_t hash) const {
  uint64_t stored;
  file_.read_at(&stored, kHashBytes, cursors_[section].offset + header_.sections[section].bytes);
  LIMR_CHECK(stored == hash, kFormat,
             cat(path(), ": the checksum of section ", show_json(header_.sections[section].name), " does not match"),
             kHint);
}

void BlobReader::read(std::string_view section, void* out, int64_t bytes) {
  const size_t i = index_of(section);
  Cursor& cursor = cursors_[i];
  const int64_t total = header_.sections[i].bytes;
  LIMR_CHECK(bytes >= 0 && bytes <= total - cursor.done, kInternal,
             cat(path(), ": ", bytes, " bytes asked of section ", section, " after ", cursor.done, " of ", total));
  if (bytes == 0 && total != 0) return;
  file_.read_at(out, bytes, cursor.offset + cursor.done);
  cursor.hash.update(out, size_t(bytes));
  cursor.done += bytes;
  if (cursor.done == total) check(i, cursor.hash.digest());
}

void BlobReader::verify() const {
  std::vector<char> chunk;
  for (size_t i = 0; i < cursors_.size(); ++i) {
    XxHash64 hash;
    const int64_t total = header_.sections[i].bytes;
    chunk.resize(size_t(std::min(total, kChunkBytes)));
    for (int64_t done = 0; done < total;) {
      const int64_t bytes = std::min(kChunkBytes, total - done);
      file_.read_at(chunk.data(), bytes, cursors_[i].offset + done);
      hash.update(chunk.data(), size_t(bytes));
      done += bytes;
    }
    check(i, hash.digest());
  }
}

}  // namespace limr
