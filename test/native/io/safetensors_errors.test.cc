// Every way in which a file, a header or an index can be wrong, and what the message says.
#include <sys/resource.h>

#include <random>

#include "files.h"
#include "io/safetensors.h"

namespace limr::test {
namespace {

namespace fs = std::filesystem;

std::string entry(const std::string& name, const std::string& dtype, const std::string& shape,
                  const std::string& offsets) {
  return cat('"', name, "\":{\"dtype\":\"", dtype, "\",\"shape\":", shape, ",\"data_offsets\":", offsets, "}");
}

Error open_error(const std::string& bytes, Code code = Code::kFormat) {
  const TempDir dir;
  const std::string path = (dir.path() / "x.safetensors").string();
  write_bytes(path, bytes);
  const Error e = expect_throws(
      code, [&] { SafetensorsFile file(path); }, bytes.substr(0, 200));
  expect_contains(e.message(), path);
  return e;
}

LIMR_TEST(safetensors_header_errors) {
  const std::string a = entry("a", "F32", "[2]", "[0,8]");
  const struct {
    std::string header, message;
  } cases[] = {
      {"{" + a + "," + a + "}", "the key \"a\" occurs twice"},
      {"[]", "does not begin with '{'"},
      {" {}", "does not begin with '{'"},
      {"{\"a\":", "byte 13: expected a JSON value, found the end"},
      {"{\"a\":1}", "tensor \"a\" is 1, expected an object"},
      {"{\"a\":{}}", "tensor \"a\" lacks \"dtype\""},
      {R"({"a":{"dtype":"F32","shape":[2]}})", "tensor \"a\" lacks \"data_offsets\""},
      {R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8],"x":1}})", "unknown key \"x\""},
      {R"({"a":{"dtype":7,"shape":[2],"data_offsets":[0,8]}})", "has dtype 7, expected a string"},
      {"{" + entry("a", "F32", "2", "[0,8]") + "}", "has shape 2, expected an array"},
      {"{" + entry("a", "F32", "[-2]", "[0,8]") + "}", "has shape [-2], expected sizes of 0 or more"},
      {"{" + entry("a", "F32", "[2.0]", "[0,8]") + "}", "has shape [2.0]"},
      {"{" + entry("a", "F32", "[18446744073709551618]", "[0,8]") + "}", "expected sizes of 0 or more"},
      {"{" + entry("a", "F32", "[1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,2]", "[0,8]") + "}", "more than 16 dimensions"},
      {"{" + entry("a", "F32", "[3]", "[0,8]") + "}", "is F32[3] and needs 12 bytes, but data_offsets [0, 8] hold 8"},
      {"{" + entry("a", "F16", "[2]", "[0,8]") + "}", "is F16[2] and needs 4 bytes"},
      {"{" + entry("a", "F32", "[4294967296,4294967296]", "[0,8]") + "}", "more bits than 2^63"},
      {"{" + entry("a", "F32", "[0,9223372036854775807,9223372036854775807]", "[0,0]") + "}", "more bits than 2^63"},
      {"{" + entry("a", "F4", "[3]", "[0,8]") + "}", "no whole number of bytes"},
      {"{" + entry("a", "F32", "[2]", "[0,8,9]") + "}", "expected [begin, end]"},
      {"{" + entry("a", "F32", "[2]", "[8,0]") + "}", "has data_offsets [8,0], expected [begin, end]"},
      {"{" + entry("a", "F32", "[2]", "[-8,0]") + "}", "expected [begin, end]"},
      {"{" + entry("a", "F32", "[2]", "[0,18446744073709551615]") + "}", "expected [begin, end]"},
      {"{" + entry("a", "F32", "[4]", "[0,16]") + "}", "ends at data byte 16, but the file has only 8"},
      {"{" + entry("a", "F32", "[2]", "[9223372036854775799,9223372036854775807]") + "}", "but the file has only 8"},
      {"{" + entry("a", "F32", "[1]", "[0,4]") + "," + entry("b", "F16", "[3]", "[2,8]") + "}",
       "tensors \"a\" and \"b\" overlap: the second begins at data byte 2, the first ends at 4"},
      {"{" + a + "," + entry("b", "F32", "[2]", "[0,8]") + "}", "overlap"},
      {"{" + entry("a", "F32", "[1]", "[4,8]") + "}", "data bytes 0 to 4 before tensor \"a\" belong to no tensor"},
      {"{" + entry("a", "F32", "[1]", "[0,4]") + "}", "its last 4 bytes belong to no tensor"},
      {"{}", "its last 8 bytes belong to no tensor"},
      {"{\"__metadata__\":3," + a + "}", "\"__metadata__\" is 3, expected an object"},
      {"{\"__metadata__\":{\"k\":3}," + a + "}", "\"__metadata__\" has 3 at \"k\", expected a string"},
      {"{\"a\":{\"dtype\":[[[[]]]]}}", "nested deeper than 4 levels"},
      {"{\"\xff\":1}", "invalid UTF-8"},
  };
  for (const auto& c : cases) {
    const Error e = open_error(safetensors_bytes(c.header, std::string(8, '\0')));
    expect_contains(e.message(), c.message, c.header);
  }
  const Error e = open_error(safetensors_bytes("{" + entry("a", "F99", "[2]", "[0,8]") + "}", std::string(8, '\0')),
                             Code::kUnsupported);
  expect_contains(e.message(), "unknown dtype \"F99\"");
}

LIMR_TEST(safetensors_file_errors) {
  expect_contains(open_error("").message(), "has 0 bytes, too few");
  expect_contains(open_error("1234567").message(), "has 7 bytes, too few");
  const auto with_length = [](uint64_t length) {
    return std::string(reinterpret_cast<const char*>(&length), 8) + "{}";
  };
  expect_contains(open_error(with_length(3)).message(), "was cut short: its header has 3 bytes, the file 10");
  expect_contains(open_error(with_length(99'999'999)).message(), "was cut short");
  expect_contains(open_error(with_length(100'000'001)).message(), "expected at most 100000000");
  expect_contains(open_error(with_length(~0ull)).message(), "header of 18446744073709551615 bytes");
  expect_contains(open_error(with_length(0)).message(), "does not begin with '{'");
  expect_contains(open_error("version https://git-lfs.github.com/spec/v1\n").hint(), "git lfs pull");
}

LIMR_TEST(safetensors_every_truncation_is_an_error) {
  const std::string good = one_tensor("model.embed_tokens.weight", 10);
  for (size_t bytes = 0; bytes < good.size(); ++bytes) open_error(good.substr(0, bytes));
}

LIMR_TEST(safetensors_cut_short_after_opening) {
  const TempDir dir;
  const fs::path path = dir.path() / "model.safetensors";
  write_bytes(path, one_tensor("w", 1000));
  const SafetensorsSet set = SafetensorsSet::open(dir.path().string());
  fs::resize_file(path, fs::file_size(path) - 100);
  std::vector<float> out(1000);
  std::vector<bf16> half(1000);
  const Error e = expect_throws(Code::kFormat, [&] { set.read_f32("w", out.data(), 0, 1); });
  expect_contains(e.message(), path.string() + " was cut short");
  expect_throws(Code::kFormat, [&] { set.read_bf16("w", half.data(), 0, 1); });
}

LIMR_TEST(safetensors_set_errors_of_lookups) {
  const TempDir dir;
  write_bytes(dir.path() / "model.safetensors", one_tensor("model.norm.weight", 4));
  const SafetensorsSet set = SafetensorsSet::open(dir.path().string());
  const Error absent = expect_throws(Code::kFormat, [&] { set.at("norm.weight"); });
  expect_contains(absent.message(), dir.path().string() + ": the weights have no tensor \"norm.weight\"");
  expect_contains(absent.hint(), "model.norm.weight");
  const Error shape = expect_throws(Code::kShape, [&] { set.at("model.norm.weight", {2, 2}); });
  expect_contains(shape.message(), "tensor \"model.norm.weight\" is F32[4], expected [2, 2]");
  float out[4];
  for (const auto& [begin, end] : {std::pair{-1, 1}, {0, 2}, {1, 0}, {2, 2}}) {
    const Error e = expect_throws(Code::kShape, [&] { set.read_f32("model.norm.weight", out, begin, end); });
    expect_contains(e.message(), cat("rows ", begin, " to ", end, " of tensor \"model.norm.weight\", which has 1"));
  }
}

LIMR_TEST(safetensors_index_errors) {
  const TempDir dir;
  const auto open = [&] { return SafetensorsSet::open(dir.path().string()); };
  const auto index = [&](const std::string& text) { write_bytes(dir.path() / "model.safetensors.index.json", text); };
  expect_contains(expect_throws(Code::kIo, open).message(), "has neither model.safetensors nor");

  const std::string one = "model-00001-of-00002.safetensors", two = "model-00002-of-00002.safetensors";
  const std::string good = cat(R"({"metadata":{},"weight_map":{"a":")", one, R"(","b":")", two, R"("}})");
  write_bytes(dir.path() / one, one_tensor("a", 1));
  index(good);
  const Error missing = expect_throws(Code::kIo, open);
  expect_contains(missing.message(), (dir.path() / two).string() + " is missing, though ");
  expect_contains(missing.hint(), "missing shard");

  write_bytes(dir.path() / two, one_tensor("b", 1));
  expect_eq(open().names(), std::vector<std::string>{"a", "b"});
  write_bytes(dir.path() / two, one_tensor("b", 1).substr(0, one_tensor("b", 1).size() - 1));
  expect_contains(expect_throws(Code::kFormat, open).message(), two);
  write_bytes(dir.path() / two, one_tensor("c", 1));
  expect_contains(expect_throws(Code::kFormat, open).message(),
                  "tensor \"b\" is not in " + (dir.path() / two).string());
  write_bytes(dir.path() / two, one_tensor("a", 1));
  expect_contains(expect_throws(Code::kFormat, open).message(), "tensor \"a\" is both in ");
  write_bytes(
      dir.path() / two,
      safetensors_bytes("{" + entry("b", "U8", "[1]", "[0,1]") + "," + entry("x", "U8", "[1]", "[1,2]") + "}", "12"));
  expect_contains(expect_throws(Code::kFormat, open).message(), "tensor \"x\" is not listed in ");

  write_bytes(dir.path() / two, one_tensor("b", 1));
  index(cat(R"({"weight_map":{"b":")", one, R"(","a":")", two, R"("}})"));
  expect_contains(expect_throws(Code::kFormat, open).message(), "tensor \"b\" is not in ");
  for (const char* shard : {"../x.safetensors", "/etc/x.safetensors", "a/b.safetensors", "..", "", ".safetensors",
                            "x.bin", "a\\\\b.safetensors", "a\\u0000.safetensors"}) {
    index(cat(R"({"weight_map":{"a":")", shard, R"("}})"));
    expect_contains(expect_throws(Code::kFormat, open, shard).message(), "in the same folder", shard);
  }
  for (const char* text : {"{}", "[]", R"({"weight_map":{}})", R"({"weight_map":[]})"}) {
    index(text);
    expect_contains(expect_throws(Code::kFormat, open, text).message(), "expected {tensor: file}", text);
  }
  index(R"({"weight_map":{"a":1}})");
  expect_contains(expect_throws(Code::kFormat, open).message(), "tensor \"a\" is in 1, expected the name");
  index("{");
  expect_contains(expect_throws(Code::kFormat, open).message(), "index.json, byte 1");
  write_bytes(dir.path() / "model.safetensors", one_tensor("a", 1));
  expect_contains(expect_throws(Code::kFormat, open).message(), "has both model.safetensors and");
}

LIMR_TEST(safetensors_long_names_do_not_flood_messages) {
  const Error e = open_error(safetensors_bytes("{\"" + std::string(1 << 20, 'x') + "\":1}", ""));
  expect(e.message().size() < 1000);
}

int64_t peak_memory_bytes() {
  rusage usage;
  getrusage(RUSAGE_SELF, &usage);
#ifdef __APPLE__
  return usage.ru_maxrss;
#else
  return usage.ru_maxrss * 1024;
#endif
}

// A header that is changed in a few places, by bytes and by whole tokens, is refused with an Error, or describes tensors
// that can be read; whatever it says, memory stays in proportion to the file.
LIMR_TEST(safetensors_header_fuzz) {
  const std::string header = "{\"__metadata__\":{\"format\":\"pt\"}," + entry("a", "F32", "[2,3]", "[0,24]") + "," +
                             entry("b", "BF16", "[5]", "[24,34]") + "," + entry("c", "F16", "[]", "[34,36]") + "," +
                             entry("d", "U8", "[0,7]", "[36,36]") + "}   ";
  const std::string data(36, '\x3c');
  const char* tokens[] = {"0",
                          "-1",
                          "1",
                          "2",
                          "24",
                          "34",
                          "36",
                          "9223372036854775807",
                          "18446744073709551615",
                          "1e30",
                          "null",
                          "[]",
                          "{}",
                          "[",
                          "]",
                          "{",
                          "}",
                          ",",
                          ":",
                          "\"",
                          "\\u0000",
                          "\"F64\"",
                          "\"BF16\"",
                          "\"shape\":",
                          "\"a\"",
                          "[2,3]",
                          "[1,6]",
                          "[0,0]",
                          " "};
  const TempDir dir;
  const std::string path = (dir.path() / "x.safetensors").string();
  const int64_t before = peak_memory_bytes();
  const int cases = small() ? 10000 : 40000;
  int opened = 0, refused = 0;
  std::mt19937 rng(2024);
  const auto below = [&](size_t n) { return size_t(rng() % n); };
  for (int i = 0; i < cases; ++i) {
    std::string text = header;
    for (size_t edits = 1 + below(3); edits > 0; --edits) {
      const size_t at = below(text.size()), length = std::min(below(6), text.size() - at);
      switch (below(5)) {
        case 0:
          text[at] = char(rng());
          break;
        case 1:
          text.erase(at, length);
          break;
        case 2:
          text.insert(at, tokens[below(std::size(tokens))]);
          break;
        case 3:
          text.replace(at, length, tokens[below(std::size(tokens))]);
          break;
        default:  // a number becomes another one
          if (const size_t digit = text.find_first_of("0123456789", at); digit != text.npos) {
            const size_t end = text.find_first_not_of("0123456789", digit);
            text.replace(digit, end - digit, tokens[below(10)]);
          }
      }
    }
    std::string bytes = safetensors_bytes(text, data);
    if (below(8) == 0) bytes[below(8)] = char(rng());          // the length
    if (below(8) == 0) bytes.resize(below(bytes.size() + 1));  // cut short
    if (below(16) == 0) bytes.append(below(40), 'x');          // longer
    write_bytes(path, bytes);
    try {
      const SafetensorsFile file(path);
      for (const auto& tensor : file.tensors()) {
        expect(tensor.bytes <= int64_t(bytes.size()), text);
        std::vector<float> out(size_t(tensor.rows() * tensor.cols()));
        if (tensor.dtype == "F32" || tensor.dtype == "F16" || tensor.dtype == "BF16")
          file.read_f32(tensor, out.data(), 0, tensor.rows());
      }
      ++opened;
    } catch (const Error& e) {
      expect(e.code() == Code::kFormat || e.code() == Code::kUnsupported, cat(text, ": ", e.message()));
      ++refused;
    }
  }
  expect(opened > cases / 200 && refused > cases / 2, cat(opened, " opened, ", refused, " refused"));
  // Sanitizers keep freed memory in quarantine, which grows to their own limit.
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
  expect(peak_memory_bytes() - before < (32 << 20), cat(peak_memory_bytes() - before, " bytes more"));
#else
  (void)before;
#endif
}

}  // namespace
}  // namespace limr::test
