#include "io/safetensors.h"

#include <unistd.h>

#include <random>
#include <thread>

#include "files.h"

namespace limr::test {
namespace {

namespace fs = std::filesystem;

// Written by safetensors 0.5 for Python:
//   f = f32 [[0.1]], b = bf16 [[1.5, -2, 3.25], [0.1, 1e30, -0.0]], a = f16 [1, 2]
std::string reference_file() {
  const char header[] =
      R"({"__metadata__":{"format":"pt"},"f":{"dtype":"F32","shape":[1,1],"data_offsets":[0,4]},)"
      R"("b":{"dtype":"BF16","shape":[2,3],"data_offsets":[4,16]},"a":{"dtype":"F16","shape":[2],"data_offsets":[16,20]}} )";
  const char data[] = "\xcd\xcc\xcc=\xc0?\x00\xc0P@\xcd=Jq\x00\x80\x00<\x00@";
  return safetensors_bytes(header, std::string(data, 20));
}

LIMR_TEST(safetensors_reads_what_the_reference_wrote) {
  const TempDir dir;
  write_bytes(dir.path() / "model.safetensors", reference_file());
  const SafetensorsSet set = SafetensorsSet::open(dir.path().string());
  expect_eq(set.names(), std::vector<std::string>{"f", "b", "a"});
  expect(set.contains("b") && !set.contains("c") && set.find("c") == nullptr);
  const TensorInfo& b = set.at("b", {2, 3});
  expect_eq(b.describe(), "BF16[2, 3]");
  expect_eq(b.rows() * 100 + b.cols(), int64_t(203));
  expect_eq(set.at("a").rows() * 100 + set.at("a").cols(), int64_t(102));
  expect_eq(set.file_of("a"), (dir.path() / "model.safetensors").string());

  std::vector<float> f32(6);
  set.read_f32("b", f32.data(), 0, 2);
  expect_bits(f32, std::vector<float>{1.5f, -2.0f, 3.25f, bf16_to_f32(0x3dcd), bf16_to_f32(0x714a), -0.0f});
  set.read_f32("b", f32.data(), 1, 2);
  expect_eq(f32[0], bf16_to_f32(0x3dcd));
  set.read_f32("f", f32.data(), 0, 1);
  expect_eq(f32[0], 0.1f);
  std::vector<bf16> half(2);
  set.read_bf16("a", half.data(), 0, 1);
  expect_eq(half, std::vector<bf16>{0x3f80, 0x4000});
  set.read_bf16("f", half.data(), 0, 1);
  expect_eq(half[0], bf16(0x3dcd));
  set.read_bf16("b", half.data(), 2, 2);  // no rows
  const SafetensorsFile file((dir.path() / "model.safetensors").string());
  expect(file.metadata().size() == 1 && file.metadata()[0].first == "format" && file.metadata()[0].second == "pt");
}

LIMR_TEST(safetensors_round_trip_of_all_dtypes_and_shapes) {
  const TempDir dir;
  const std::vector<TensorSpec> specs = {{"w", DType::kBf16, {300, 700}}, {"scalar", DType::kF32, {}},
                                         {"none", DType::kBf16, {0, 5}},  {"h", DType::kF16, {3, 5, 7}},
                                         {"v", DType::kF32, {70001}},     {"i", DType::kI32, {4}}};
  std::mt19937 rng(3);
  std::vector<std::string> data;
  SafetensorsWriter writer(dir.path().string(), specs);
  for (const auto& spec : specs) {
    int64_t bytes = dtype_bytes(spec.dtype);
    for (const int64_t n : spec.shape) bytes *= n;
    std::string& part = data.emplace_back(size_t(bytes), '\0');
    for (char& c : part) c = char(rng());
    for (int64_t at = 0; at < bytes;) {
      const int64_t n = std::min<int64_t>(bytes - at, 1 + int64_t(rng() % 50000));
      writer.write(spec.name, part.data() + at, n);
      at += n;
    }
  }
  writer.finish();
  expect_eq(std::distance(fs::directory_iterator(dir.path()), fs::directory_iterator()), std::ptrdiff_t(1));

  const SafetensorsSet set = SafetensorsSet::open(dir.path().string());
  for (size_t i = 0; i < specs.size(); ++i) {
    const auto& spec = specs[i];
    const TensorInfo& info = set.at(spec.name, spec.shape);
    expect_eq(info.dtype, dtype_name(spec.dtype));
    const int64_t n = info.rows() * info.cols();
    std::vector<float> got(size_t(n), 0), want(size_t(n), 0);
    std::vector<bf16> got_half(size_t(n), 0), want_half(size_t(n), 0);
    if (spec.dtype == DType::kI32) {
      const Error e = expect_throws(Code::kUnsupported, [&] { set.read_f32("i", got.data(), 0, 1); });
      expect_contains(e.message(), "tensor \"i\" is I32[4], expected F32, F16 or BF16");
      continue;
    }
    set.read_f32(spec.name, got.data(), 0, info.rows());
    set.read_bf16(spec.name, got_half.data(), 0, info.rows());
    for (int64_t k = 0; k < n; ++k) {
      const char* at = data[i].data() + k * dtype_bytes(spec.dtype);
      uint16_t h;
      std::memcpy(&h, at, 2);
      if (spec.dtype == DType::kF32) std::memcpy(&want[size_t(k)], at, 4);
      if (spec.dtype == DType::kBf16) want[size_t(k)] = bf16_to_f32(h);
      if (spec.dtype == DType::kF16) want[size_t(k)] = f16_to_f32(h);
      want_half[size_t(k)] = spec.dtype == DType::kBf16 ? h : f32_to_bf16(want[size_t(k)]);
    }
    expect_bits(got, want, spec.name);
    expect_bits(got_half, want_half, spec.name);
  }
}

LIMR_TEST(safetensors_writes_bytes_that_do_not_change) {
  const TempDir dir;
  SafetensorsWriter writer(dir.path().string(), {{"a", DType::kBf16, {1, 2}}});
  writer.write("a", "\x01\x02\x03\x04", 4);
  writer.finish();
  const std::string header =
      R"({"__metadata__":{"format":"pt"},"a":{"dtype":"BF16","shape":[1,2],"data_offsets":[0,4]}})";
  const std::string padded = header + std::string((8 - header.size() % 8) % 8, ' ');
  expect(read_bytes(dir.path() / "model.safetensors") == safetensors_bytes(padded, "\x01\x02\x03\x04"));
}

LIMR_TEST(safetensors_shards) {
  const TempDir dir;
  // 40 + 40 | 120 alone above the limit | empty, 4
  const std::vector<TensorSpec> specs = {{"a", DType::kF32, {10}},
                                         {"b", DType::kF32, {2, 5}},
                                         {"c", DType::kF32, {30}},
                                         {"d", DType::kF32, {0}},
                                         {"e", DType::kF32, {1}}};
  SafetensorsWriter writer(dir.path().string(), specs, 100);
  expect_eq(writer.num_shards(), int64_t(3));
  float next = 0;
  for (const auto& spec : specs)
    for (int64_t i = 0; i < (spec.shape.size() == 2 ? 10 : spec.shape[0]); ++i, ++next)
      writer.write(spec.name, &next, 4);
  expect(!fs::exists(dir.path() / "model-00001-of-00003.safetensors"), "nothing before finish");
  writer.finish();
  expect_eq(std::distance(fs::directory_iterator(dir.path()), fs::directory_iterator()), std::ptrdiff_t(4));
  expect_eq(read_bytes(dir.path() / "model.safetensors.index.json"),
            "{\n  \"metadata\": {\n    \"total_size\": 204\n  },\n  \"weight_map\": {\n"
            "    \"a\": \"model-00001-of-00003.safetensors\",\n    \"b\": \"model-00001-of-00003.safetensors\",\n"
            "    \"c\": \"model-00002-of-00003.safetensors\",\n    \"d\": \"model-00003-of-00003.safetensors\",\n"
            "    \"e\": \"model-00003-of-00003.safetensors\"\n  }\n}\n");
  const SafetensorsSet set = SafetensorsSet::open(dir.path().string());
  expect_eq(set.num_files(), int64_t(3));
  std::vector<float> out(30);
  set.read_f32("c", out.data(), 0, 1);
  expect_eq(out[0] + out[29], 20.0f + 49.0f);
  set.read_f32("e", out.data(), 0, 1);
  expect_eq(out[0], 50.0f);
}

LIMR_TEST(safetensors_writer_holds_its_caller_to_the_declaration) {
  const TempDir dir;
  {
    SafetensorsWriter writer(dir.path().string(), {{"a", DType::kF32, {2}}, {"b", DType::kF32, {1}}});
    expect_throws(Code::kInternal, [&] { writer.write("b", "1234", 4); });
    expect_throws(Code::kInternal, [&] { writer.write("a", "123456789", 9); });
    writer.write("a", "1234", 4);
    expect_contains(expect_throws(Code::kInternal, [&] { writer.finish(); }).message(), "tensor a is not complete");
  }
  expect(fs::is_empty(dir.path()), "an unfinished save leaves nothing");
  expect_throws(Code::kInternal, [&] {
    SafetensorsWriter(dir.path().string(), {{"a", DType::kF32, {2}}, {"a", DType::kF32, {1}}});
  });
  expect_throws(Code::kInternal, [&] {
    SafetensorsWriter(dir.path().string(), {{"a", DType::kF32, {1ll << 40, 1ll << 40}}});
  });
  expect(fs::is_empty(dir.path()));
}

LIMR_TEST(safetensors_writer_refuses_two_layouts_in_one_folder) {
  const TempDir dir;
  const std::vector<TensorSpec> specs = {{"a", DType::kF32, {1}}, {"b", DType::kF32, {1}}};
  write_bytes(dir.path() / "model.safetensors", "");
  const Error e = expect_throws(Code::kState, [&] { SafetensorsWriter(dir.path().string(), specs, 4); });
  expect_contains(e.message(), "model.safetensors is already there");
  fs::remove(dir.path() / "model.safetensors");
  write_bytes(dir.path() / "model.safetensors.index.json", "{}");
  expect_throws(Code::kState, [&] { SafetensorsWriter(dir.path().string(), specs); });
}

LIMR_TEST(safetensors_full_disk_leaves_nothing) {
  if (!fs::exists("/dev/full")) LIMR_SKIP("no /dev/full");
  const TempDir dir;
  // The second shard fails; the first, complete, must not stay.
  fs::create_symlink("/dev/full",
                     cat((dir.path() / "model-00002-of-00002.safetensors").string(), ".tmp-", long(getpid())));
  const Error e = expect_throws(Code::kIo, [&] {
    SafetensorsWriter writer(dir.path().string(), {{"a", DType::kF32, {1}}, {"b", DType::kF32, {1}}}, 4);
    writer.write("a", "1234", 4);
    writer.write("b", "1234", 4);
    writer.finish();
  });
  expect_contains(e.message(), "model-00002-of-00002.safetensors: No space left on device");
  expect(fs::is_empty(dir.path()));
}

LIMR_TEST(safetensors_rows_are_read_in_parallel) {
  const TempDir dir;
  const int64_t rows = 64, cols = 5000;
  std::vector<float> want(size_t(rows * cols));
  for (size_t i = 0; i < want.size(); ++i) want[i] = float(i);
  SafetensorsWriter writer(dir.path().string(), {{"w", DType::kF32, {rows, cols}}});
  writer.write("w", want.data(), rows * cols * 4);
  writer.finish();
  const SafetensorsSet set = SafetensorsSet::open(dir.path().string());
  auto got = poisoned(rows * cols);
  auto half = poisoned<bf16>(rows * cols);
  std::vector<std::thread> threads;
  for (int64_t t = 0; t < 4; ++t)
    threads.emplace_back([&, t] {
      for (int64_t r = t; r < rows; r += 4) {
        set.read_f32("w", got.data() + r * cols, r, r + 1);
        set.read_bf16("w", half.data() + r * cols, r, r + 1);
      }
    });
  for (auto& thread : threads) thread.join();
  expect_bits(got, want);
  for (size_t i = 0; i < want.size(); ++i) expect_eq(half[i], f32_to_bf16(want[i]));
}

}  // namespace
}  // namespace limr::test
