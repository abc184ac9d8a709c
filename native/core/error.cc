#include "core/error.h"

namespace limr {
namespace {
std::string upper(std::string s) {
  for (char& c : s) c = c >= 'a' && c <= 'z' ? char(c - 'a' + 'A') : c;
  return s;
}
}  // namespace

const char* code_name(Code code) {
  static const std::string names[] = {
#define LIMR_X(name) "LIMR_" + upper(#name),
      LIMR_ERROR_CODES(LIMR_X)
#undef LIMR_X
  };
  return names[int(code)].c_str();
}

Error::Error(Code code, std::string message, std::string hint)
    : code_(code), message_(std::move(message)), hint_(std::move(hint)) {}

}  // namespace limr
