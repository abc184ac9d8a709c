#include <algorithm>
#include <iomanip>
#include <set>
#include <utility>

#include "core/error.h"
#include "io/json.h"
#include "io/safetensors.h"

namespace limr {
namespace {

constexpr const char* kSingleFile = "model.safetensors";
constexpr const char* kIndexFile = "model.safetensors.index.json";

int64_t byte_count(const TensorSpec& tensor) {
  int64_t bytes = dtype_bytes(tensor.dtype);
  for (const int64_t size : tensor.shape) LIMR_ASSERT(size >= 0 && !__builtin_mul_overflow(bytes, size, &bytes));
  return bytes;
}

// The header of tensors [begin, end), with the length before it; padded with spaces, so that the data is aligned to 8.
std::string header_of(const std::vector<TensorSpec>& tensors, size_t begin, size_t end) {
  // "format" is what transformers asks for before it loads a file.
  Json::Object entries{{"__metadata__", Json::Object{{"format", "pt"}}}};
  int64_t offset = 0;
  for (size_t i = begin; i < end; ++i) {
    const int64_t bytes = byte_count(tensors[i]);
    entries.emplace_back(tensors[i].name,
                         Json::Object{{"dtype", dtype_name(tensors[i].dtype)},
                                      {"shape", Json::Array(tensors[i].shape.begin(), tensors[i].shape.end())},
                                      {"data_offsets", Json::Array{offset, offset + bytes}}});
    offset += bytes;
  }
  std::string text = dump_json(entries);
  text.resize((text.size() + 7) / 8 * 8, ' ');
  const uint64_t length = text.size();
  return std::string(reinterpret_cast<const char*>(&length), sizeof length) + text;
}

std::string shard_name(size_t number, size_t count) {
  return cat("model-", std::setfill('0'), std::setw(5), number, "-of-", std::setw(5), count, ".safetensors");
}

}  // namespace

SafetensorsWriter::SafetensorsWriter(std::string dir, std::vector<TensorSpec> tensors, int64_t max_shard_bytes)
    : dir_(std::move(dir)), tensors_(std::move(tensors)) {
  std::set<std::string_view> names;
  for (const auto& tensor : tensors_)
    LIMR_CHECK(names.insert(tensor.name).second, kInternal, cat("tensor ", tensor.name, " is declared twice"));

  shards_.push_back({.name = "", .begin = 0, .end = 0, .bytes = 0});
  for (size_t i = 0; i < tensors_.size(); ++i) {
    const int64_t bytes = byte_count(tensors_[i]);
    if (shards_.back().bytes > 0 && bytes > max_shard_bytes - shards_.back().bytes)
      shards_.push_back({.name = "", .begin = i, .end = i, .bytes = 0});
    shards_.back().end = i + 1;
    shards_.back().bytes += bytes;
  }
  const bool single = shards_.size() == 1;
  for (size_t i = 0; i < shards_.size(); ++i)
    shards_[i].name = single ? kSingleFile : shard_name(i + 1, shards_.size());

  const std::string other = join_path(dir_, single ? kIndexFile : kSingleFile);
  LIMR_CHECK(!file_exists(other), kState, cat("cannot save the weights to ", dir_, ": ", other, " is already there"),
             "Save to an empty folder.");
  open_shard();
  close_full_tensors();
}

SafetensorsWriter::~SafetensorsWriter() = default;

void SafetensorsWriter::open_shard() {
  const Shard& shard = shards_[files_.size()];
  files_.emplace_back(join_path(dir_, shard.name)).write(header_of(tensors_, shard.begin, shard.end));
}

void SafetensorsWriter::close_full_tensors() {
  while (current_ < tensors_.size() && written_ == byte_count(tensors_[current_])) {
    ++current_;
    written_ = 0;
    if (current_ < shards_[files_.size() - 1].end) continue;
    files_.back().close();
    if (files_.size() < shards_.size()) open_shard();
  }
}

void SafetensorsWriter::write(std::string_view name, const void* data, int64_t bytes) {
  if (bytes == 0) return;
  const bool expected = current_ < tensors_.size() && tensors_[current_].name == name;
  LIMR_CHECK(expected && bytes > 0 && bytes <= byte_count(tensors_[current_]) - written_, kInternal,
             cat(dir_, ": ", bytes, " bytes for tensor ", name, " after ", written_, " of ",
                 current_ < tensors_.size() ? tensors_[current_].name : "no tensor"));
  files_.back().write(data, bytes);
  written_ += bytes;
  close_full_tensors();
}

void SafetensorsWriter::finish() {
  LIMR_CHECK(
      !finished_ && current_ == tensors_.size(), kInternal,
      cat(dir_, ": ", finished_ ? "finished twice" : cat("tensor ", tensors_[current_].name, " is not complete")));
  finished_ = true;
  for (auto& file : files_) file.commit();
  if (shards_.size() > 1) write_text_file(join_path(dir_, kIndexFile), index_json());
}

std::string SafetensorsWriter::index_json() const {
  Json::Object map;
  int64_t total = 0;
  for (const auto& shard : shards_) {
    for (size_t i = shard.begin; i < shard.end; ++i) map.emplace_back(tensors_[i].name, shard.name);
    total += shard.bytes;
  }
  return dump_json(Json::Object{{"metadata", Json::Object{{"total_size", total}}}, {"weight_map", map}}, 2) + "\n";
}

}  // namespace limr
