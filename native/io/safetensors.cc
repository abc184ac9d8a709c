#include "io/safetensors.h"

#include <algorithm>
#include <cstring>
#include <limits>
#include <optional>
#include <set>
#include <utility>

#include "core/error.h"
#include "io/convert.h"
#include "io/json.h"

namespace limr {
namespace {

constexpr int64_t kMaxHeaderBytes = 100'000'000;  // the limit of the reference implementation
constexpr size_t kMaxRank = 16;
constexpr int64_t kChunkElements = 1 << 16;
constexpr const char* kDamaged = "The file is damaged; copy or download it again.";
constexpr const char* kSingleFile = "model.safetensors";
constexpr const char* kIndexFile = "model.safetensors.index.json";

struct StoredType {
  const char* name;
  int64_t bits;
};
constexpr StoredType kStoredTypes[] = {
    {"F32", 32}, {"F16", 16},    {"BF16", 16},   {"F64", 64},    {"I64", 64},    {"I32", 32},    {"I16", 16},
    {"I8", 8},   {"U64", 64},    {"U32", 32},    {"U16", 16},    {"U8", 8},      {"BOOL", 8},    {"C64", 64},
    {"F4", 4},   {"F6_E2M3", 6}, {"F6_E3M2", 6}, {"F8_E5M2", 8}, {"F8_E4M3", 8}, {"F8_E8M0", 8},
};

// The types that can be weights.
std::optional<DType> readable(std::string_view name) {
  for (const DType t : {DType::kF32, DType::kBf16, DType::kF16})
    if (name == dtype_name(t)) return t;
  return std::nullopt;
}

std::string quote(const std::string& name) { return show_json(name, 200); }

// A tensor's entry in the header of `path`, on its own; its place among the others is checked later.
class EntryParser {
 public:
  EntryParser(const std::string& path, const std::string& name) : path_(path), name_(name) {}

  TensorInfo parse(const Json& json, int64_t data_begin, int64_t data_bytes) const {
    check(json.is_object(), cat("is ", show_json(json), ", expected an object"));
    for (const auto& [key, value] : json.as_object())
      check(key == "dtype" || key == "shape" || key == "data_offsets", cat("has an unknown key ", show_json(key)));
    TensorInfo tensor;
    tensor.name = name_;
    const int64_t bits = parse_dtype(member(json, "dtype"), tensor);
    parse_shape(member(json, "shape"), tensor);
    const auto [begin, end] = parse_offsets(member(json, "data_offsets"));
    check(end <= data_bytes,
          cat("ends at data byte ", end, ", but the file has only ", data_bytes, " (it was cut short?)"));
    tensor.offset = data_begin + begin;
    tensor.bytes = end - begin;
    const int64_t expected = byte_count(tensor, bits);
    check(tensor.bytes == expected, cat("is ", tensor.describe(), " and needs ", expected, " bytes, but data_offsets [",
                                        begin, ", ", end, "] hold ", tensor.bytes));
    return tensor;
  }

 private:
  void check(bool ok, const std::string& what) const {
    LIMR_CHECK(ok, kFormat, cat(path_, ": tensor ", quote(name_), " ", what), kDamaged);
  }

  const Json& member(const Json& json, const char* key) const {
    const Json* value = json.find(key);
    check(value != nullptr, cat("lacks \"", key, "\""));
    return *value;
  }

  int64_t parse_dtype(const Json& json, TensorInfo& tensor) const {
    check(json.is_string(), cat("has dtype ", show_json(json), ", expected a string"));
    tensor.dtype = json.as_string();
    for (const auto& type : kStoredTypes)
      if (tensor.dtype == type.name) return type.bits;
    throw Error(Code::kUnsupported, cat(path_, ": tensor ", quote(name_), " has the unknown dtype ", show_json(json)),
                "Weights are read from F32, F16 and BF16; convert the model.");
  }

  void parse_shape(const Json& json, TensorInfo& tensor) const {
    check(json.is_array(), cat("has shape ", show_json(json), ", expected an array of sizes"));
    check(json.as_array().size() <= kMaxRank, cat("has more than ", kMaxRank, " dimensions"));
    for (const Json& size : json.as_array()) {
      check(size.is_int() && size.as_int() >= 0, cat("has shape ", show_json(json), ", expected sizes of 0 or more"));
      tensor.shape.push_back(size.as_int());
    }
  }

  std::pair<int64_t, int64_t> parse_offsets(const Json& json) const {
    const bool ok = json.is_array() && json.as_array().size() == 2 && json.as_array()[0].is_int() &&
                    json.as_array()[1].is_int() && json.as_array()[0].as_int() >= 0 &&
                    json.as_array()[0].as_int() <= json.as_array()[1].as_int();
    check(ok, cat("has data_offsets ", show_json(json), ", expected [begin, end] with 0 <= begin <= end"));
    return {json.as_array()[0].as_int(), json.as_array()[1].as_int()};
  }

  // Checks on the way that no product of sizes overflows, also where a size of 0 would hide it.
  int64_t byte_count(const TensorInfo& tensor, int64_t bits) const {
    int64_t product = bits;
    bool empty = false, overflow = false;
    for (const int64_t size : tensor.shape) {
      empty |= size == 0;
      if (size != 0) overflow |= __builtin_mul_overflow(product, size, &product);
    }
    check(!overflow, cat("is ", tensor.describe(), ", more bits than 2^63"));
    if (empty) return 0;
    check(product % 8 == 0, cat("is ", tensor.describe(), ", which is no whole number of bytes"));
    return product / 8;
  }

  const std::string& path_;
  const std::string& name_;
};

// The tensors, sorted by offset, must cover [data_begin, file_end) without gap or overlap.
void check_layout(const std::vector<TensorInfo>& tensors, const std::string& path, int64_t data_begin,
                  int64_t file_end) {
  int64_t at = data_begin;
  for (size_t i = 0; i < tensors.size(); ++i) {
    const auto& t = tensors[i];
    LIMR_CHECK(t.offset >= at, kFormat,
               cat(path, ": tensors ", quote(tensors[i - 1].name), " and ", quote(t.name),
                   " overlap: the second begins at data byte ", t.offset - data_begin, ", the first ends at ",
                   at - data_begin),
               kDamaged);
    LIMR_CHECK(t.offset == at, kFormat,
               cat(path, ": data bytes ", at - data_begin, " to ", t.offset - data_begin, " before tensor ",
                   quote(t.name), " belong to no tensor"),
               kDamaged);
    at = t.offset + t.bytes;
  }
  LIMR_CHECK(at == file_end, kFormat, cat(path, ": its last ", file_end - at, " bytes belong to no tensor"), kDamaged);
}

std::string similar_name(const std::vector<std::string>& names, std::string_view wanted) {
  size_t best = 0;
  std::string similar;
  for (const auto& name : names) {
    const size_t shorter = std::min(name.size(), wanted.size());
    size_t same = 0, tail = 0;
    while (same < shorter && name[same] == wanted[same]) ++same;
    while (tail < shorter - same && name[name.size() - 1 - tail] == wanted[wanted.size() - 1 - tail]) ++tail;
    if (same + tail > best) best = same + tail, similar = name;
  }
  return similar;
}

// A shard is a plain file name, so that no index reaches outside of its folder.
bool is_shard_name(std::string_view name) {
  return name.ends_with(".safetensors") && name.find_first_of(std::string_view("/\\\0", 3)) == name.npos &&
         !name.starts_with('.');
}

// tensor name -> shard file name, in the order of the index.
std::vector<std::pair<std::string, std::string>> read_index(const std::string& path) {
  const Json json = parse_json(read_text_file(path, kMaxHeaderBytes), path);
  const Json* map = json.is_object() ? json.find("weight_map") : nullptr;
  LIMR_CHECK(map && map->is_object() && !map->as_object().empty(), kFormat,
             cat(path, ": \"weight_map\" is ", map ? show_json(*map) : "missing", ", expected {tensor: file}"),
             kDamaged);
  std::vector<std::pair<std::string, std::string>> entries;
  for (const auto& [name, file] : map->as_object()) {
    LIMR_CHECK(file.is_string() && is_shard_name(file.as_string()), kFormat,
               cat(path, ": tensor ", quote(name), " is in ", show_json(file),
                   ", expected the name of a .safetensors file in the same folder"),
               kDamaged);
    entries.emplace_back(name, file.as_string());
  }
  return entries;
}

}  // namespace

int64_t TensorInfo::rows() const { return shape.size() < 2 ? 1 : shape[0]; }

int64_t TensorInfo::cols() const {
  int64_t product = 1;
  for (size_t i = shape.size() < 2 ? 0 : 1; i < shape.size(); ++i) product *= shape[i];
  return product;
}

std::string shape_string(const std::vector<int64_t>& shape) {
  std::string text = "[";
  for (size_t i = 0; i < shape.size(); ++i) text += cat(i ? ", " : "", shape[i]);
  return text + "]";
}

std::string TensorInfo::describe() const { return dtype + shape_string(shape); }

SafetensorsFile::SafetensorsFile(std::string path) : file_(std::move(path)) {
  parse_header();
  for (size_t i = 0; i < tensors_.size(); ++i) index_.emplace(tensors_[i].name, i);
}

void SafetensorsFile::parse_header() {
  const int64_t size = file_.size();
  LIMR_CHECK(size >= 8, kFormat, cat(path(), " has ", size, " bytes, too few for a safetensors header"), kDamaged);
  uint64_t length;
  file_.read_at(&length, 8, 0);
  const bool lfs = std::memcmp(&length, "version ", 8) == 0;
  LIMR_CHECK(length <= uint64_t(kMaxHeaderBytes), kFormat,
             cat(path(), ": header of ", length, " bytes, expected at most ", kMaxHeaderBytes),
             lfs ? "It is a Git LFS pointer, not the weights; run git lfs pull."
                 : "It is not a safetensors file, or damaged.");
  LIMR_CHECK(int64_t(length) <= size - 8, kFormat,
             cat(path(), " was cut short: its header has ", length, " bytes, the file ", size), kDamaged);
  std::string text(length, '\0');
  file_.read_at(text.data(), int64_t(length), 8);
  LIMR_CHECK(text.starts_with('{'), kFormat, cat(path(), ": its header does not begin with '{'"), kDamaged);

  const int64_t data_begin = 8 + int64_t(length);
  const Json header = parse_json(text, path(), {.depth = 4}, 8);
  for (const auto& [name, value] : header.as_object()) {
    if (name == "__metadata__") {
      LIMR_CHECK(value.is_object(), kFormat,
                 cat(path(), ": \"__metadata__\" is ", show_json(value), ", expected an object"), kDamaged);
      for (const auto& [key, entry] : value.as_object()) {
        LIMR_CHECK(
            entry.is_string(), kFormat,
            cat(path(), ": \"__metadata__\" has ", show_json(entry), " at ", show_json(key), ", expected a string"),
            kDamaged);
        metadata_.emplace_back(key, entry.as_string());
      }
      continue;
    }
    tensors_.push_back(EntryParser(path(), name).parse(value, data_begin, size - data_begin));
  }
  std::sort(tensors_.begin(), tensors_.end(), [](const TensorInfo& a, const TensorInfo& b) {
    return std::pair(a.offset, a.bytes) < std::pair(b.offset, b.bytes);
  });
  check_layout(tensors_, path(), data_begin, size);
}

const TensorInfo* SafetensorsFile::find(std::string_view name) const {
  const auto it = index_.find(name);
  return it == index_.end() ? nullptr : &tensors_[it->second];
}

namespace {

// Reads rows of `tensor`, straight into `out` when file and target have the same dtype, else a chunk at a time.
template <typename Out, typename Convert>
void read_rows(const InputFile& file, const TensorInfo& tensor, Out* out, DType target, int64_t row_begin,
               int64_t row_end, const Convert& convert) {
  const auto dtype = readable(tensor.dtype);
  LIMR_CHECK(
      dtype.has_value(), kUnsupported,
      cat(file.path(), ": tensor ", quote(tensor.name), " is ", tensor.describe(), ", expected F32, F16 or BF16"),
      "Convert the model to bf16.");
  LIMR_CHECK(0 <= row_begin && row_begin <= row_end && row_end <= tensor.rows(), kShape,
             cat(file.path(), ": rows ", row_begin, " to ", row_end, " of tensor ", quote(tensor.name), ", which has ",
                 tensor.rows()));
  const int64_t n = (row_end - row_begin) * tensor.cols(), width = dtype_bytes(*dtype);
  const int64_t offset = tensor.offset + row_begin * tensor.cols() * width;
  if (*dtype == target) return file.read_at(out, n * width, offset);
  std::vector<char> chunk(size_t(std::min(n, kChunkElements) * width));
  for (int64_t i = 0; i < n; i += kChunkElements) {
    const int64_t count = std::min(kChunkElements, n - i);
    file.read_at(chunk.data(), count * width, offset + i * width);
    convert(chunk.data(), *dtype, out + i, count);
  }
}

}  // namespace

void SafetensorsFile::read_f32(const TensorInfo& tensor, float* out, int64_t row_begin, int64_t row_end) const {
  read_rows(file_, tensor, out, DType::kF32, row_begin, row_end, convert_to_f32);
}

void SafetensorsFile::read_bf16(const TensorInfo& tensor, bf16* out, int64_t row_begin, int64_t row_end) const {
  read_rows(file_, tensor, out, DType::kBf16, row_begin, row_end, convert_to_bf16);
}

SafetensorsSet SafetensorsSet::open(const std::string& dir) {
  SafetensorsSet set;
  set.dir_ = dir;
  const std::string single = join_path(dir, kSingleFile), index = join_path(dir, kIndexFile);
  const bool has_single = file_exists(single), has_index = file_exists(index);
  LIMR_CHECK(has_single || has_index, kIo, cat(dir, " has neither ", kSingleFile, " nor ", kIndexFile),
             "Give the folder of a Hugging Face model with safetensors weights.");
  LIMR_CHECK(!has_single || !has_index, kFormat, cat(dir, " has both ", kSingleFile, " and ", kIndexFile),
             "Remove the one that does not belong to the model.");

  std::vector<std::pair<std::string, std::string>> listed;
  std::set<std::string> shards;
  if (has_index) {
    listed = read_index(index);
    for (const auto& [name, shard] : listed) shards.insert(shard);
  } else {
    shards.insert(kSingleFile);
  }
  for (const auto& shard : shards) {
    const std::string path = join_path(dir, shard);
    LIMR_CHECK(file_exists(path), kIo, cat(path, " is missing, though ", index, " lists it"),
               "The download is not complete; get the missing shard.");
    const auto& file = set.files_.emplace_back(std::make_unique<SafetensorsFile>(path));
    for (const auto& tensor : file->tensors()) {
      const auto [it, added] = set.index_.emplace(tensor.name, Entry{file.get(), &tensor});
      LIMR_CHECK(added, kFormat,
                 cat("tensor ", quote(tensor.name), " is both in ", it->second.file->path(), " and in ", path),
                 kDamaged);
    }
  }
  for (const auto& [name, shard] : listed) {
    const auto it = set.index_.find(name);
    LIMR_CHECK(it != set.index_.end() && it->second.file->path() == join_path(dir, shard), kFormat,
               cat(index, ": tensor ", quote(name), " is not in ", join_path(dir, shard)),
               "Index and shards are not of one model; download the folder again.");
  }
  if (has_index && listed.size() != set.index_.size()) {
    std::set<std::string_view> known;
    for (const auto& [name, shard] : listed) known.insert(name);
    for (const auto& [name, entry] : set.index_)
      LIMR_CHECK(known.contains(name), kFormat,
                 cat(entry.file->path(), ": tensor ", quote(std::string(name)), " is not listed in ", index),
                 "Index and shards are not of one model; download the folder again.");
  }
  return set;
}

std::vector<std::string> SafetensorsSet::names() const {
  std::vector<std::string> names;
  for (const auto& file : files_)
    for (const auto& tensor : file->tensors()) names.push_back(tensor.name);
  return names;
}

const TensorInfo* SafetensorsSet::find(std::string_view name) const {
  const auto it = index_.find(name);
  return it == index_.end() ? nullptr : it->second.tensor;
}

const SafetensorsSet::Entry& SafetensorsSet::entry(std::string_view name) const {
  const auto it = index_.find(name);
  if (it != index_.end()) return it->second;
  const std::string similar = similar_name(names(), name);
  throw Error(Code::kFormat, cat(dir_, ": the weights have no tensor \"", name, "\""),
              cat("config.json and the weights must be of one model.",
                  similar.empty() ? "" : cat(" The most similar name is ", quote(similar), ".")));
}

const TensorInfo& SafetensorsSet::at(std::string_view name) const { return *entry(name).tensor; }

const TensorInfo& SafetensorsSet::at(std::string_view name, const std::vector<int64_t>& shape) const {
  const Entry& found = entry(name);
  LIMR_CHECK(found.tensor->shape == shape, kShape,
             cat(found.file->path(), ": tensor \"", name, "\" is ", found.tensor->describe(), ", expected ",
                 shape_string(shape)),
             "config.json and the weights must be of one model.");
  return *found.tensor;
}

const std::string& SafetensorsSet::file_of(std::string_view name) const { return entry(name).file->path(); }

void SafetensorsSet::read_f32(std::string_view name, float* out, int64_t row_begin, int64_t row_end) const {
  const Entry& found = entry(name);
  found.file->read_f32(*found.tensor, out, row_begin, row_end);
}

void SafetensorsSet::read_bf16(std::string_view name, bf16* out, int64_t row_begin, int64_t row_end) const {
  const Entry& found = entry(name);
  found.file->read_bf16(*found.tensor, out, row_begin, row_end);
}

}  // namespace limr
