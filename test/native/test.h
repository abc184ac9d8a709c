// test/native/test.h - the native test harness: registration, expectations, and a runner in main.cc.
//
//   LIMR_TEST(rmsnorm_forward_matches_reference) { expect_close(got, want, 1e-6, cat("C=", C)); }
//
// The first expectation that fails ends its test (by an exception, so call them on the test's own thread) and prints one
// line: name, place, what was found, the context given. Put the seed or the shape there, so that a failure replays.
#pragma once
#include <cmath>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <limits>
#include <ranges>
#include <source_location>
#include <span>
#include <string>
#include <type_traits>
#include <vector>

#include "core/dtype.h"
#include "core/error.h"

namespace limr::test {

using Location = std::source_location;

struct Case {
  const char* name;
  const char* file;
  void (*run)();
};

std::vector<Case>& cases();
bool add_case(const char* name, const char* file, void (*run)());

// Thrown by a failed expectation and by LIMR_SKIP; the runner catches them.
struct Failed {
  std::string message;
  Location where;
};
struct Skipped {
  std::string reason;
};

// True under LIMR_TEST_SMALL=1: sanitizers and emulators ask for shapes that are tens of times smaller.
bool small();

// A fresh folder, removed with everything in it when it goes out of scope.
class TempDir {
 public:
  TempDir();
  ~TempDir();
  TempDir(const TempDir&) = delete;
  TempDir& operator=(const TempDir&) = delete;
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

// n elements that no test can mistake for a result: NaN, or the lowest integer.
template <typename T = float>
std::vector<T> poisoned(int64_t n) {
  if constexpr (std::is_floating_point_v<T>) return std::vector<T>(n, std::numeric_limits<T>::quiet_NaN());
  if constexpr (std::is_same_v<T, bf16>) return std::vector<T>(n, bf16(0x7fc0));
  return std::vector<T>(n, std::numeric_limits<T>::lowest());
}

[[noreturn]] void fail(const std::string& message, const std::string& context, const Location& where);

void expect(bool ok, const std::string& context = "", const Location& where = Location::current());

namespace detail {
template <typename T>
std::string show(const T& value) {
  if constexpr (requires(std::ostringstream & out) { out << value; }) {
    std::ostringstream out;
    if constexpr (std::is_floating_point_v<T>) out.precision(std::numeric_limits<T>::max_digits10);
    if constexpr (std::is_same_v<T, char> || std::is_same_v<T, signed char> || std::is_same_v<T, unsigned char>)
      out << int(value);
    else
      out << value;
    return out.str();
  } else {
    return "a value without a printed form";
  }
}
template <typename T>
concept Sequence = std::ranges::sized_range<T> && !
std::is_convertible_v<T, std::string_view>;
// The wider of two tolerances' scales: |want| itself, or the root mean square of the whole array.
void close(std::span<const double> got, std::span<const double> want, double tol, const std::string& context,
           const Location& where);
template <Sequence T>
std::vector<double> doubles(const T& values) {
  std::vector<double> out;
  out.reserve(std::ranges::size(values));
  for (const auto& v : values) {
    if constexpr (std::is_same_v<std::ranges::range_value_t<T>, bf16>)
      out.push_back(bf16_to_f32(v));
    else
      out.push_back(double(v));
  }
  return out;
}
}  // namespace detail

// Equal by ==, element by element in a range. NaN equals nothing; see expect_bits.
template <typename T, typename U>
void expect_eq(const T& got, const U& want, const std::string& context = "",
               const Location& where = Location::current()) {
  if constexpr (detail::Sequence<T> && detail::Sequence<U>) {
    if (std::ranges::size(got) != std::ranges::size(want))
      fail(cat("got ", std::ranges::size(got), " elements, want ", std::ranges::size(want)), context, where);
    auto g = std::ranges::begin(got);
    int64_t i = 0;
    for (const auto& w : want) {
      if (!(*g == w)) fail(cat("[", i, "] got ", detail::show(*g), ", want ", detail::show(w)), context, where);
      ++g, ++i;
    }
  } else if (!(got == want)) {
    fail(cat("got ", detail::show(got), ", want ", detail::show(want)), context, where);
  }
}

// Equal to the bit; -0 differs from 0, and a NaN equals itself.
template <detail::Sequence T, detail::Sequence U>
void expect_bits(const T& got, const U& want, const std::string& context = "",
                 const Location& where = Location::current()) {
  using V = std::ranges::range_value_t<T>;
  static_assert(std::is_same_v<V, std::ranges::range_value_t<U>> && std::is_trivially_copyable_v<V>);
  if (std::ranges::size(got) != std::ranges::size(want))
    fail(cat("got ", std::ranges::size(got), " elements, want ", std::ranges::size(want)), context, where);
  const V* g = std::ranges::data(got);
  const V* w = std::ranges::data(want);
  for (size_t i = 0; i < std::ranges::size(got); ++i)
    if (std::memcmp(g + i, w + i, sizeof(V)) != 0)
      fail(cat("[", i, "] differs in its bits: got ", detail::show(g[i]), ", want ", detail::show(w[i])), context,
           where);
}

// |got - want| <= tol * max(|want|, rms of want), element by element; for numbers the bound is tol * |want|. A NaN on
// either side fails, and where want is all zero only zero passes. uint16_t ranges are bf16.
template <typename T, typename U>
void expect_close(const T& got, const U& want, double tol, const std::string& context = "",
                  const Location& where = Location::current()) {
  if constexpr (detail::Sequence<T> && detail::Sequence<U>) {
    const auto g = detail::doubles(got), w = detail::doubles(want);
    detail::close(g, w, tol, context, where);
  } else {
    const double g = double(got), w = double(want);
    detail::close({&g, 1}, {&w, 1}, tol, context, where);
  }
}

// Runs fn, which must throw limr::Error with this code, and returns the error for a look at its message.
template <typename Fn>
Error expect_throws(Code code, Fn&& fn, const std::string& context = "", const Location& where = Location::current()) {
  try {
    fn();
  } catch (const Error& e) {
    if (e.code() != code)
      fail(cat("threw ", code_name(e.code()), " (", e.message(), "), want ", code_name(code)), context, where);
    return e;
  }
  fail(cat("threw nothing, want ", code_name(code)), context, where);
}

// The text contains the part.
void expect_contains(const std::string& text, const std::string& part, const std::string& context = "",
                     const Location& where = Location::current());

}  // namespace limr::test

#define LIMR_TEST(name)                                                                                             \
  static void limr_test_##name();                                                                                   \
  [[maybe_unused]] static const bool limr_added_##name = ::limr::test::add_case(#name, __FILE__, limr_test_##name); \
  static void limr_test_##name()

// Ends the test without a verdict; the reason is printed. For what this machine lacks, never for what fails.
#define LIMR_SKIP(reason) \
  throw ::limr::test::Skipped { reason }
