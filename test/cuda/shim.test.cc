// The host shim finds what it is for: every bug of planted/planted.cu, and none where there is none.
#include <sys/wait.h>

#include <array>
#include <cstdio>

#include "fixture.h"

namespace limr::test {
namespace {

#if defined(__SANITIZE_ADDRESS__)
constexpr bool kAsan = true;
#else
constexpr bool kAsan = false;
#endif
#if defined(__SANITIZE_THREAD__)
constexpr bool kTsan = true;
#else
constexpr bool kTsan = false;
#endif

struct Outcome {
  std::string text;  // stdout and stderr
  int status;        // exit code, or -signal
};

Outcome planted(const std::string& bug, const std::string& schedule) {
  const std::string command = cat("exec env CUDA_SHIM_SCHEDULE=", schedule, " ", LIMR_SHIM_PLANTED, " ", bug, " 2>&1");
  FILE* pipe = popen(command.c_str(), "r");
  expect(pipe, "popen");
  Outcome outcome;
  std::array<char, 4096> buffer;
  while (const size_t n = fread(buffer.data(), 1, buffer.size(), pipe)) outcome.text.append(buffer.data(), n);
  const int status = pclose(pipe);
  outcome.status = WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
  return outcome;
}

const std::vector<std::string> kAllSchedules{"round-robin", "greedy", "shuffled:1", "shuffled:2"};

LIMR_TEST(shim_runs_what_is_right) {
  for (const char* bug : {"none", "none-two-rounds", "none-syncwarp", "none-async"})
    for (const auto& schedule : kAllSchedules) {
      const Outcome o = planted(bug, schedule);
      expect_eq(o.text, "right\n", cat(bug, " ", schedule));
      expect_eq(o.status, 0, cat(bug, " ", schedule));
    }
}

// A race shows in some order of threads, or to ThreadSanitizer in every one.
LIMR_TEST(shim_finds_missing_barriers) {
  for (const char* bug : {"no-barrier", "no-second-barrier", "no-syncwarp", "no-async-wait"}) {
    int wrong = 0, reported = 0;
    for (const auto& schedule : kAllSchedules) {
      const Outcome o = planted(bug, schedule);
      wrong += o.text.find("wrong\n") != std::string::npos;
      reported += o.text.find("ThreadSanitizer: data race") != std::string::npos && o.status != 0;
    }
    const bool races = std::string_view(bug) != "no-async-wait";  // that one is NaN everywhere, and no race
    const bool shows = std::string_view(bug) != "no-syncwarp";  // the shuffle before it makes lanes wait for each other
    if (!kTsan && shows) expect(wrong > 0, cat(bug, " shows in no schedule"));
    if (kTsan && races) expect_eq(reported, 4, bug);
    if (!races) expect_eq(wrong, 4, bug);
  }
}

LIMR_TEST(shim_names_what_a_device_leaves_undefined) {
  const std::pair<const char*, const char*> bugs[] = {{"missing-lane", "__shfl_xor_sync"},
                                                      {"lane-that-ended", " ended"},
                                                      {"divergent-barrier", "divergent barrier"},
                                                      {"barrier-of-some", "barrier"},
                                                      {"foreign-mask", "lacks this lane"}};
  for (const auto& [bug, message] : bugs)
    for (const auto& schedule : kAllSchedules) {
      const Outcome o = planted(bug, schedule);
      expect_contains(o.text, "limr shim: kernel, block (0,0,0), thread", cat(bug, " ", schedule));
      expect_contains(o.text, message, cat(bug, " ", schedule));
      expect(o.status != 0, cat(bug, " ", schedule));
    }
}

LIMR_TEST(shim_guards_memory) {
  expect(planted("past-the-end", "round-robin").status != 0, "one element behind an allocation");
  expect(planted("host-reads-device", "round-robin").status != 0, "the host follows a device pointer");
  expect_eq(planted("no-synchronize", "round-robin").text, "wrong\n");
  expect_eq(planted("too-much-shared", "round-robin").text, "cudaErrorInvalidValue\n");
  if (!kAsan) expect_eq(planted("never-written", "round-robin").text, "wrong\n", "shared memory holds NaN at first");
  if (kAsan) expect_contains(planted("past-shared", "round-robin").text, "heap-buffer-overflow");
}

}  // namespace
}  // namespace limr::test
