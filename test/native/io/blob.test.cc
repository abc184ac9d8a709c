#include "io/blob.h"

#include <numeric>

#include "files.h"

namespace limr::test {
namespace {

namespace fs = std::filesystem;

const BlobHeader kHeader{"qwen2 2x64", 17, {{"a", 5}, {"empty", 0}, {"b", 3000}, {"end", 0}}};

std::vector<char> pattern(size_t n) {
  std::vector<char> data(n);
  for (size_t i = 0; i < n; ++i) data[i] = char((i * 7 + 3) % 251);
  return data;
}

void write_example(const std::string& path) {
  const auto data = pattern(3000);
  BlobWriter writer(path, kHeader);
  writer.write("a", "hello", 5);
  for (size_t at = 0, n = 1; at < data.size(); at += n, n = std::min<size_t>(n * 3, data.size() - at))
    writer.write("b", data.data() + at, int64_t(n));
  writer.finish();
}

// The whole file, read as an optimizer would.
void read_example(const std::string& path) {
  BlobReader reader(path);
  std::vector<char> data(4096);
  for (const auto& section : reader.header().sections) {
    LIMR_CHECK(section.bytes <= 4096, kFormat, "longer than the example");
    reader.read(section.name, data.data(), section.bytes);
  }
}

// Values of the reference implementation, https://github.com/Cyan4973/xxHash 0.8.
LIMR_TEST(xxhash64_matches_the_reference) {
  expect_eq(xxhash64("", 0), 0xef46db3751d8e999ull);
  expect_eq(xxhash64("abc", 3), 0x44bc2cf5ad770999ull);
  const struct {
    size_t bytes;
    uint64_t seed_0, seed_prime;
  } cases[] = {{3, 0x31d2363f52e564c9, 0x96d2a5e583ddd738},   {4, 0x9bb64b7d66ee9fda, 0x4a862fbb4b73776e},
               {8, 0xdab99d95c6f90092, 0xc6e75e2cbd8e07ee},   {31, 0xa2aa5f33cc4a6119, 0x381822f33376d6b6},
               {32, 0x23c3c17ef790fd97, 0x9abd315470ac276a},  {33, 0x50a7cfc7ba588784, 0x72cdd3262f467933},
               {63, 0xf1438f15b9ed16e9, 0x04c9df3c09bac575},  {64, 0x2cd990a1beed6894, 0xe4fdd9fd76860f05},
               {100, 0x778e26df8290f456, 0xefa3d41cc67b2690}, {1000, 0x021f7a7424085ea4, 0x78bf9ef439332363}};
  const auto data = pattern(1000);
  for (const auto& c : cases) {
    expect_eq(xxhash64(data.data(), c.bytes), c.seed_0, cat("bytes=", c.bytes));
    expect_eq(xxhash64(data.data(), c.bytes, 2654435761u), c.seed_prime, cat("bytes=", c.bytes));
  }
}

LIMR_TEST(xxhash64_does_not_depend_on_the_split) {
  const auto data = pattern(1000);
  const uint64_t want = xxhash64(data.data(), data.size());
  for (size_t step = 1; step < 140; ++step) {
    XxHash64 hash;
    for (size_t at = 0; at < data.size(); at += step) hash.update(data.data() + at, std::min(step, data.size() - at));
    expect_eq(hash.digest(), want, cat("step=", step));
  }
}

LIMR_TEST(blob_round_trip) {
  const TempDir dir;
  const std::string path = (dir.path() / "optimizer.bin").string();
  write_example(path);
  BlobReader reader(path);
  expect_eq(reader.header().signature, kHeader.signature);
  expect_eq(reader.header().step, int64_t(17));
  expect_eq(reader.header().sections.size(), size_t(4));
  expect_eq(reader.bytes("b"), int64_t(3000));
  reader.expect_signature("qwen2 2x64");
  reader.verify();
  // Sections in another order, one of them in pieces.
  std::vector<char> data(3000), hello(5);
  reader.read("b", data.data(), 1000);
  reader.read("a", hello.data(), 5);
  reader.read("b", data.data() + 1000, 2000);
  reader.read("empty", nullptr, 0);
  expect_eq(std::string(hello.begin(), hello.end()), "hello");
  expect_eq(data, pattern(3000));
  expect_throws(Code::kInternal, [&] { reader.read("b", data.data(), 1); });
}

LIMR_TEST(blob_of_another_model_is_named) {
  const TempDir dir;
  const std::string path = (dir.path() / "o").string();
  write_example(path);
  BlobReader reader(path);
  const Error e = expect_throws(Code::kFormat, [&] { reader.expect_signature("qwen2 3x64"); });
  expect_contains(e.message(), "found \"qwen2 2x64\", expected \"qwen2 3x64\"");
  expect_contains(expect_throws(Code::kFormat, [&] { reader.expect_signature(""); }).message(), "expected \"\"");
  expect_contains(expect_throws(Code::kFormat, [&] { (void)reader.bytes("c"); }).message(), "has no section \"c\"");
}

LIMR_TEST(blob_shows_every_changed_byte) {
  const TempDir dir;
  const std::string path = (dir.path() / "o").string(), broken = (dir.path() / "broken").string();
  write_example(path);
  const std::string good = read_bytes(path);
  const size_t step = small() ? 17 : 1;
  for (size_t i = 0; i < good.size(); i += step) {
    std::string bad = good;
    bad[i] = char(bad[i] ^ (1 << i % 8));
    write_bytes(broken, bad);
    expect_throws(
        Code::kFormat, [&] { read_example(broken); }, cat("byte ", i));
    expect_throws(
        Code::kFormat, [&] { BlobReader(broken).verify(); }, cat("byte ", i));
  }
}

LIMR_TEST(blob_shows_every_truncation) {
  const TempDir dir;
  const std::string path = (dir.path() / "o").string(), broken = (dir.path() / "broken").string();
  write_example(path);
  const std::string good = read_bytes(path);
  for (size_t bytes = 0; bytes < good.size(); bytes += small() ? 13 : 1) {
    write_bytes(broken, good.substr(0, bytes));
    expect_throws(
        Code::kFormat, [&] { BlobReader reader(broken); }, cat("bytes=", bytes));
  }
  write_bytes(broken, good + "x");
  expect_contains(expect_throws(Code::kFormat, [&] { BlobReader reader(broken); }).message(), "its header describes");
  write_bytes(broken, good.substr(0, good.size() - 1));
  expect_contains(expect_throws(Code::kFormat, [&] { BlobReader reader(broken); }).message(), "was cut short");

  BlobReader reader(path);
  fs::resize_file(path, good.size() / 2);
  expect_contains(expect_throws(Code::kFormat, [&] { reader.verify(); }).message(), "was cut short");
}

LIMR_TEST(blob_header_with_a_right_checksum_is_still_checked) {
  const TempDir dir;
  const std::string path = (dir.path() / "o").string();
  const struct {
    const char* header;
    const char* message;
  } cases[] = {
      {"[]", "lacks \"signature\""},
      {R"({"signature":"s","step":"1","sections":[]})", "has a wrong \"step\""},
      {R"({"signature":"s","step":1,"sections":[{"name":"a"}]})", "lacks \"bytes\""},
      {R"({"signature":"s","step":1,"sections":[{"name":"a","bytes":-1}]})", "has -1 bytes"},
      {R"({"signature":"s","step":1,"sections":[{"name":"a","bytes":9223372036854775807}]})", "9223372036854775807"},
      {R"({"signature":"s","step":1,"sections":[{"name":"a","bytes":0},{"name":"a","bytes":0}]})", "occurs twice"},
      {R"({"signature":"s","step":1,"sections":[{"name":"a","bytes":1000000000000}]})", "was cut short"},
      {R"({"signature":)", "expected a JSON value"},
  };
  for (const auto& c : cases) {
    const std::string text = c.header;
    const uint32_t numbers[2] = {1, uint32_t(text.size())};
    std::string file = "LIMRBLOB" + std::string(reinterpret_cast<const char*>(numbers), 8) + text;
    const uint64_t hash = xxhash64(file.data(), file.size());
    file.append(reinterpret_cast<const char*>(&hash), 8);
    write_bytes(path, file);
    const Error e = expect_throws(
        Code::kFormat, [&] { BlobReader reader(path); }, text);
    expect_contains(e.message(), c.message, text);
    expect_contains(e.message(), path, text);
  }
}

LIMR_TEST(blob_writer_holds_its_caller_to_the_header) {
  const TempDir dir;
  const std::string path = (dir.path() / "o").string();
  {
    BlobWriter writer(path, kHeader);
    expect_throws(Code::kInternal, [&] { writer.write("b", "x", 1); });
    expect_throws(Code::kInternal, [&] { writer.write("a", "123456", 6); });
    writer.write("a", "123", 3);
    expect_contains(expect_throws(Code::kInternal, [&] { writer.finish(); }).message(), "section a is not complete");
  }
  expect(fs::is_empty(dir.path()), "an unfinished blob leaves nothing");
}

}  // namespace
}  // namespace limr::test
