// limr_test [--list] [--verbose] [part of a name or file]... - runs the tests whose name or file contains any of the parts.
// Last line: "N passed, N failed, N skipped". Exit code 0, or 1 when a test failed or none ran.
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string_view>

#include "test.h"

namespace limr::test {

std::vector<Case>& cases() {
  static std::vector<Case> all;
  return all;
}

bool add_case(const char* name, const char* file, void (*run)()) {
  cases().push_back({name, file, run});
  return true;
}

bool small() {
  const char* value = std::getenv("LIMR_TEST_SMALL");
  return value && std::string_view(value) == "1";
}

TempDir::TempDir() {
  std::string pattern = (std::filesystem::temp_directory_path() / "limr-test-XXXXXX").string();
  if (!mkdtemp(pattern.data())) throw Error(Code::kIo, cat("cannot make ", pattern));
  path_ = pattern;
}

TempDir::~TempDir() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

void fail(const std::string& message, const std::string& context, const Location& where) {
  throw Failed{context.empty() ? message : cat(message, " [", context, "]"), where};
}

void expect(bool ok, const std::string& context, const Location& where) {
  if (!ok) fail("expectation is false", context, where);
}

void expect_contains(const std::string& text, const std::string& part, const std::string& context,
                     const Location& where) {
  if (text.find(part) == std::string::npos) fail(cat("\"", text, "\" lacks \"", part, "\""), context, where);
}

namespace detail {
void close(std::span<const double> got, std::span<const double> want, double tol, const std::string& context,
           const Location& where) {
  if (got.size() != want.size()) fail(cat("got ", got.size(), " elements, want ", want.size()), context, where);
  double square = 0;
  for (double w : want) square += w * w;
  const double rms = want.empty() ? 0 : std::sqrt(square / double(want.size()));
  double worst = 0;
  size_t at = 0, beyond = 0;
  for (size_t i = 0; i < want.size(); ++i) {
    const double scale = std::max(std::abs(want[i]), rms), difference = std::abs(got[i] - want[i]);
    if (difference <= tol * scale) continue;  // false for NaN
    const double relative = scale > 0 && !std::isnan(difference) ? difference / scale : INFINITY;
    if (beyond++ == 0 || relative > worst) worst = relative, at = i;
  }
  if (beyond == 0) return;
  fail(cat(beyond, " of ", want.size(), " beyond ", tol, "; worst at [", at, "]: got ", show(got[at]), ", want ",
           show(want[at]), ", relative ", worst),
       context, where);
}
}  // namespace detail

namespace {

// Sanitizers report crashes themselves, with a stack.
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
const char* current = "";

void on_crash(int number) {
  const std::string_view parts[] = {"CRASH ", current, "\n"};
  for (const auto& part : parts)
    if (write(STDERR_FILENO, part.data(), part.size()) < 0) break;
  signal(number, SIG_DFL);
  raise(number);
}

void watch(const char* name) {
  current = name;
  for (int number : {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT}) signal(number, on_crash);
}
#else
void watch(const char*) {}
#endif

const char* base_name(const char* path) {
  const char* slash = std::strrchr(path, '/');
  return slash ? slash + 1 : path;
}

enum class Outcome { kPassed, kFailed, kSkipped };

Outcome run(const Case& test) {
  watch(test.name);
  try {
    test.run();
    return Outcome::kPassed;
  } catch (const Skipped& s) {
    std::printf("SKIP %s: %s\n", test.name, s.reason.c_str());
    return Outcome::kSkipped;
  } catch (const Failed& f) {
    std::printf("FAIL %s (%s:%u): %s\n", test.name, base_name(f.where.file_name()), unsigned(f.where.line()),
                f.message.c_str());
  } catch (const Error& e) {
    std::printf("FAIL %s (%s): threw %s: %s\n", test.name, base_name(test.file), code_name(e.code()), e.what());
  } catch (const std::exception& e) {
    std::printf("FAIL %s (%s): threw %s\n", test.name, base_name(test.file), e.what());
  }
  return Outcome::kFailed;
}

bool selected(const Case& test, const std::vector<std::string_view>& parts) {
  const auto holds = [&](std::string_view part) {
    return std::string_view(test.name).find(part) != std::string_view::npos ||
           std::string_view(test.file).find(part) != std::string_view::npos;
  };
  return parts.empty() || std::any_of(parts.begin(), parts.end(), holds);
}

}  // namespace
}  // namespace limr::test

int main(int argc, char** argv) {
  using namespace limr::test;
  bool list = false, verbose = false;
  std::vector<std::string_view> parts;
  for (int i = 1; i < argc; ++i) {
    const std::string_view arg = argv[i];
    if (arg == "--list")
      list = true;
    else if (arg == "--verbose")
      verbose = true;
    else if (arg.starts_with("-"))
      return std::fprintf(stderr, "limr_test: unknown flag %s\n", argv[i]), 2;
    else
      parts.push_back(arg);
  }
  std::stable_sort(cases().begin(), cases().end(), [](const Case& a, const Case& b) {
    return std::string_view(a.file) < std::string_view(b.file);  // registration order depends on the linker
  });
  int counts[3] = {};
  for (const Case& test : cases()) {
    if (!selected(test, parts)) continue;
    if (list) {
      std::printf("%s\n", test.name);
      continue;
    }
    const auto begin = std::chrono::steady_clock::now();
    const Outcome outcome = run(test);
    const double ms = std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - begin).count();
    if (verbose && outcome == Outcome::kPassed) std::printf("ok   %s (%.0f ms)\n", test.name, ms);
    std::fflush(stdout);
    ++counts[int(outcome)];
  }
  if (list) return 0;
  const int ran = counts[0] + counts[1];
  if (ran == 0) std::printf("no test ran: %zu known, %d skipped\n", cases().size(), counts[2]);
  std::printf("%d passed, %d failed, %d skipped\n", counts[0], counts[1], counts[2]);
  return counts[1] > 0 || ran == 0 ? 1 : 0;
}
