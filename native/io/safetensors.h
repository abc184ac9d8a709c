// native/io/safetensors.h - reading and writing weights in the safetensors format, one file or Hugging Face shards.
//
//   file = u64 little-endian header length | header JSON, padded with spaces | data
//   header = {"__metadata__": {string: string}, name: {"dtype": "BF16", "shape": [..], "data_offsets": [begin, end]},
//   ..}
// Source: https://github.com/huggingface/safetensors#format. Offsets count from the first data byte; the tensors
// cover the data without gap or overlap, row-major, little-endian. A header is at most 100 MB.
//
// Every violation is kFormat and names file, tensor, found and expected. Nothing is allocated from a number in a file
// before that number was checked against the file's size.
#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "core/dtype.h"
#include "io/file.h"

namespace limr {

struct TensorInfo {
  std::string name;
  std::string dtype;           // as the file spells it: "BF16"; may be one that cannot be read as weights, "I64"
  std::vector<int64_t> shape;  // [] is a scalar
  int64_t offset = 0;          // of the first byte, from the beginning of the file
  int64_t bytes = 0;

  // As a View: [] is [1, 1], [C] is [1, C], [R, ...] is [R, product of the rest].
  int64_t rows() const;
  int64_t cols() const;
  std::string describe() const;  // BF16[896, 4864]
};

// "[896, 4864]"
std::string shape_string(const std::vector<int64_t>& shape);

// One file, its header validated. Const methods are safe from several threads.
class SafetensorsFile {
 public:
  explicit SafetensorsFile(std::string path);

  const std::string& path() const { return file_.path(); }
  const std::vector<TensorInfo>& tensors() const { return tensors_; }  // by offset
  const std::vector<std::pair<std::string, std::string>>& metadata() const { return metadata_; }
  const TensorInfo* find(std::string_view name) const;  // null if there is none

  // Rows [row_begin, row_end) of tensor.rows(), converted. From F32, F16, BF16; other dtypes are kUnsupported.
  // F16 -> f32, BF16 -> f32: exact. F32 -> bf16, F16 -> bf16: round to nearest, ties to even. A row range outside
  // of the tensor is kShape. `tensor` is one of tensors().
  void read_f32(const TensorInfo& tensor, float* out, int64_t row_begin, int64_t row_end) const;
  void read_bf16(const TensorInfo& tensor, bf16* out, int64_t row_begin, int64_t row_end) const;

 private:
  void parse_header();

  InputFile file_;
  std::vector<TensorInfo> tensors_;
  std::vector<std::pair<std::string, std::string>> metadata_;
  std::unordered_map<std::string_view, size_t> index_;  // into the names of tensors_, which do not move again
};

// The weights of a model folder: model.safetensors, or the shards that model.safetensors.index.json lists.
class SafetensorsSet {
 public:
  // kIo when neither is there; kFormat when both are, a shard is missing or outside of the folder, index and shards
  // disagree, or a tensor is in two shards.
  static SafetensorsSet open(const std::string& dir);

  const std::string& dir() const { return dir_; }
  std::vector<std::string> names() const;  // shard by shard, by offset
  int64_t num_files() const { return int64_t(files_.size()); }
  bool contains(std::string_view name) const { return find(name) != nullptr; }
  const TensorInfo* find(std::string_view name) const;  // null if there is none
  // kFormat when there is none, with the most similar name in the hint.
  const TensorInfo& at(std::string_view name) const;
  // at(), and kShape when its shape is another.
  const TensorInfo& at(std::string_view name, const std::vector<int64_t>& shape) const;
  const std::string& file_of(std::string_view name) const;  // path, for messages

  // See SafetensorsFile. Safe from several threads, so rows can be read in parallel.
  void read_f32(std::string_view name, float* out, int64_t row_begin, int64_t row_end) const;
  void read_bf16(std::string_view name, bf16* out, int64_t row_begin, int64_t row_end) const;

 private:
  struct Entry {
    const SafetensorsFile* file;
    const TensorInfo* tensor;
  };
  const Entry& entry(std::string_view name) const;

  std::string dir_;
  std::vector<std::unique_ptr<SafetensorsFile>> files_;
  std::unordered_map<std::string_view, Entry> index_;
};

struct TensorSpec {
  std::string name;
  DType dtype = DType::kBf16;
  std::vector<int64_t> shape;
};

// Declares all tensors first, then streams their bytes in that order. Files appear under their names in finish(), the
// index last; destroyed before, nothing is left. One shard is model.safetensors, more are
// model-00001-of-0000N.safetensors with model.safetensors.index.json, split as Hugging Face does: greedily in order,
// a tensor is never cut. One thread.
class SafetensorsWriter {
 public:
  // kState when `dir` holds weights in the other layout (one file against shards), which a reader could not tell apart.
  SafetensorsWriter(std::string dir, std::vector<TensorSpec> tensors, int64_t max_shard_bytes = 5'000'000'000);
  ~SafetensorsWriter();

  // The next bytes of tensor `name`, little-endian, row-major. Another tensor's turn or too many bytes is kInternal.
  void write(std::string_view name, const void* data, int64_t bytes);
  // Every tensor must be complete. fsyncs and renames.
  void finish();
  int64_t num_shards() const { return int64_t(shards_.size()); }

 private:
  struct Shard {
    std::string name;
    size_t begin, end;  // tensors
    int64_t bytes;
  };
  void open_shard();
  void close_full_tensors();
  std::string index_json() const;

  std::string dir_;
  std::vector<TensorSpec> tensors_;
  std::vector<Shard> shards_;
  std::vector<AtomicFile> files_;
  size_t current_ = 0;   // tensor
  int64_t written_ = 0;  // bytes of it
  bool finished_ = false;
};

}  // namespace limr
