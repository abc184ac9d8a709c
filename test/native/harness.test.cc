// The harness itself: an expectation that could not fail would make every other test worthless.
#include "test.h"

namespace limr::test {
namespace {

// What fn's failed expectation said, or "" when it passed.
template <typename Fn>
std::string failure(Fn&& fn) {
  try {
    fn();
  } catch (const Failed& f) {
    return f.message;
  }
  return "";
}

const float kNan = std::numeric_limits<float>::quiet_NaN();

LIMR_TEST(expectations_fail_when_they_should) {
  expect_contains(failure([] { expect(false, "seed=7"); }), "seed=7");
  expect_contains(failure([] { expect_eq(1, 2); }), "got 1, want 2");
  expect_contains(failure([] { expect_eq(std::vector{1, 2}, std::vector{1, 3}); }), "[1] got 2, want 3");
  expect_contains(failure([] { expect_eq(std::vector{1}, std::vector{1, 3}); }), "got 1 elements, want 2");
  expect_contains(failure([] { expect_bits(std::vector{0.0f}, std::vector{-0.0f}); }), "[0] differs in its bits");
  expect_contains(failure([] { expect_contains("abc", "d"); }), "lacks");
  expect_contains(failure([] { expect_throws(Code::kShape, [] {}); }), "threw nothing");
  expect_contains(failure([] { expect_throws(Code::kShape, [] { throw Error(Code::kIo, "disk"); }); }), "LIMR_IO");
}

LIMR_TEST(expect_close_names_the_worst_element) {
  const std::vector<float> want{1.0f, 100.0f, 0.0f};
  expect_contains(failure([&] {
                    expect_close(std::vector{1.0f, 101.0f, 0.0f}, want, 1e-3);
                  }),
                  "1 of 3 beyond 0.001; worst at [1]");
  expect_eq(failure([&] { expect_close(std::vector{1.0f, 100.05f, 0.01f}, want, 1e-3); }), "");
  expect_contains(failure([&] { expect_close(std::vector{1.0f, kNan, 0.0f}, want, 1e9); }), "worst at [1]");
  expect_contains(failure([&] { expect_close(want, poisoned(3), 1e9); }), "3 of 3");
  expect_contains(failure([] { expect_close(1e-9, 0.0, 1.0); }), "want 0");
  expect_contains(failure([] { expect_close(std::vector<bf16>{0x3f80}, std::vector{2.0f}, 0.1); }), "got 1, want 2");
}

LIMR_TEST(poisoned_buffers_cannot_pass) {
  for (float x : poisoned(3)) expect(std::isnan(x));
  for (bf16 x : poisoned<bf16>(3)) expect(std::isnan(bf16_to_f32(x)));
  expect_eq(poisoned<int32_t>(1)[0], std::numeric_limits<int32_t>::lowest());
}

LIMR_TEST(temp_dirs_are_removed) {
  std::filesystem::path path;
  {
    const TempDir dir;
    path = dir.path();
    expect(std::filesystem::is_directory(path));
  }
  expect(!std::filesystem::exists(path));
}

}  // namespace
}  // namespace limr::test
