// test/native/io/files.h - whole files as strings; safetensors files made by hand, right and wrong.
#pragma once
#include <cstring>
#include <fstream>
#include <iterator>
#include <string>

#include "test.h"

namespace limr::test {

// Removed first: ext4 writes a file out at once when it was truncated and closed, which costs milliseconds.
inline void write_bytes(const std::filesystem::path& path, const std::string& bytes) {
  std::filesystem::remove(path);
  std::ofstream(path, std::ios::binary) << bytes;
}

inline std::string read_bytes(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

// Length, header, data.
inline std::string safetensors_bytes(const std::string& header, const std::string& data) {
  const uint64_t length = header.size();
  return std::string(reinterpret_cast<const char*>(&length), 8) + header + data;
}

template <typename T>
std::string bytes_of(const std::vector<T>& values) {
  std::string out(values.size() * sizeof(T), '\0');
  if (!values.empty()) std::memcpy(out.data(), values.data(), out.size());
  return out;
}

// A file of one F32 tensor [elements] called `name`.
inline std::string one_tensor(const std::string& name, int64_t elements) {
  return safetensors_bytes(
      cat("{\"", name, "\":{\"dtype\":\"F32\",\"shape\":[", elements, "],\"data_offsets\":[0,", elements * 4, "]}}"),
      std::string(size_t(elements * 4), '\0'));
}

}  // namespace limr::test
