#include "core/error.h"

#include <cctype>

#include "core/view.h"
#include "test.h"

namespace limr::test {
namespace {

LIMR_TEST(codes_have_the_names_that_users_see) {
  expect_eq(std::string(code_name(Code::kShape)), "LIMR_SHAPE");
  expect_eq(std::string(code_name(Code::kInternal)), "LIMR_INTERNAL");
#define LIMR_X(name)                                                 \
  {                                                                  \
    std::string want = "LIMR_";                                      \
    for (char c : std::string(#name)) want += char(std::toupper(c)); \
    expect_eq(std::string(code_name(Code::k##name)), want);          \
  }
  LIMR_ERROR_CODES(LIMR_X)
#undef LIMR_X
}

LIMR_TEST(errors_carry_code_message_and_hint) {
  const Error e = expect_throws(Code::kUsage, [] { throw Error(Code::kUsage, cat("n is ", 3), "Pass 4."); });
  expect_eq(e.message(), "n is 3");
  expect_eq(std::string(e.what()), "n is 3");
  expect_eq(e.hint(), "Pass 4.");
}

LIMR_TEST(a_check_builds_its_message_only_when_it_fails) {
  int built = 0;
  const auto message = [&] {
    ++built;
    return std::string("broken");
  };
  LIMR_CHECK(built == 0, kState, message());
  expect_eq(built, 0);
  expect_throws(Code::kState, [&] { LIMR_CHECK(built == 1, kState, message()); });
  expect_eq(built, 1);
}

LIMR_TEST(an_assertion_names_its_place) {
  const Error e = expect_throws(Code::kInternal, [] { LIMR_ASSERT(1 + 1 == 3); });
  expect_contains(e.message(), "error.test.cc");
  expect_contains(e.message(), "1 + 1 == 3");
}

LIMR_TEST(views_slice_rows_and_name_their_shape) {
  std::vector<bf16> data(40);
  View v = view(data.data(), 4, 10);
  expect_eq(v.shape(), "BF16[4, 10]");
  v.cols = 7;  // a window on wider rows
  const View rows = v.slice(1, 3);
  expect_eq(rows.shape(), "BF16[2, 7]");
  expect(rows.data == &data[10] && rows.stride == 10);
  expect(bool(rows) && !View{});
  check_view("scale", "out", rows, DType::kBf16, 2, 7);
  const Error e = expect_throws(Code::kShape, [&] { check_view("scale", "out", rows, DType::kF32, 2, 8); });
  expect_eq(e.message(), "scale: out is BF16[2, 7], expected F32[2, 8]");
}

}  // namespace
}  // namespace limr::test
