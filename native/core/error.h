// native/core/error.h - the one exception type of the native core. Its codes are those of src/errors.ts.
#pragma once
#include <exception>
#include <sstream>
#include <string>
#include <utility>

namespace limr {

// One entry a failure class. The name after k, in capitals, is the code users see: kShape is LIMR_SHAPE.
#define LIMR_ERROR_CODES(X)                                                                 \
  X(Usage)       /* a bad argument, flag or value of the caller */                          \
  X(Shape)       /* shapes or lengths that disagree */                                      \
  X(Io)          /* the operating system refused: missing file, full disk, no permission */ \
  X(Format)      /* a file that is malformed, truncated or inconsistent */                  \
  X(Unsupported) /* well-formed, but outside of what this engine implements */              \
  X(Memory)      /* a plan or an allocation that does not fit */                            \
  X(Numeric)     /* non-finite numbers, 0/0 */                                              \
  X(Busy)        /* the handle already runs a call */                                       \
  X(Aborted)     /* the caller asked to stop */                                             \
  X(State)       /* a call that the object's state does not allow: closed, frozen */        \
  X(Locked)      /* a run folder in use by another process */                               \
  X(Platform)    /* this machine or build lacks something */                                \
  X(Internal)    /* a broken invariant of ours */

enum class Code {
#define LIMR_X(name) k##name,
  LIMR_ERROR_CODES(LIMR_X)
#undef LIMR_X
};

// "LIMR_SHAPE" for Code::kShape.
const char* code_name(Code code);

class Error : public std::exception {
 public:
  Error(Code code, std::string message, std::string hint = "");
  const char* what() const noexcept override { return message_.c_str(); }
  Code code() const { return code_; }
  const std::string& message() const { return message_; }
  const std::string& hint() const { return hint_; }

 private:
  Code code_;
  std::string message_, hint_;
};

// cat("x is ", 3) == "x is 3".
template <typename... Args>
std::string cat(const Args&... args) {
  std::ostringstream out;
  (out << ... << args);
  return out.str();
}

// The message and hint are built only when the check fails.
#define LIMR_CHECK(ok, code, ...)                           \
  do {                                                      \
    if (!(ok)) [[unlikely]]                                 \
      throw ::limr::Error(::limr::Code::code, __VA_ARGS__); \
  } while (0)

// A broken invariant of this code base, not of its input.
#define LIMR_ASSERT(ok) \
  LIMR_CHECK(ok, kInternal, ::limr::cat(__FILE__, ":", __LINE__, ": ", #ok), "Please report this.")

}  // namespace limr
