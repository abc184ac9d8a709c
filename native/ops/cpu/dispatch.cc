// native/ops/cpu/dispatch.cc - which tables this CPU can run.
#include "ops/cpu/table.h"

namespace limr::cpu {

extern const Table kScalar;
#if defined(__x86_64__)
extern const Table kAvx2, kAvx512, kAvx512Bf16;
#elif defined(__aarch64__)
extern const Table kNeon;
#endif

const std::vector<const Table*>& runnable() {
  static const std::vector<const Table*> tables = [] {
    std::vector<const Table*> t;
#if defined(__x86_64__)
    __builtin_cpu_init();  // asks the operating system too: a register file it does not save is not reported
    const bool avx512 = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                        __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
    if (avx512 && __builtin_cpu_supports("avx512bf16")) t.push_back(&kAvx512Bf16);
    if (avx512) t.push_back(&kAvx512);
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) t.push_back(&kAvx2);
#elif defined(__aarch64__)
    t.push_back(&kNeon);
#endif
    t.push_back(&kScalar);
    return t;
  }();
  return tables;
}

const Table* table(const std::string& isa) {
  std::string names;
  for (const Table* t : runnable()) {
    if (isa.empty() || isa == t->isa) return t;
    names += cat(names.empty() ? "" : ", ", t->isa);
  }
  static const std::string known[] = {"avx512bf16", "avx512", "avx2", "neon", "scalar"};
  for (const std::string& k : known)
    LIMR_CHECK(isa != k, kPlatform, cat("this CPU cannot run the ", isa, " kernels"), cat("It can run: ", names, "."));
  throw Error(Code::kUsage, cat("no kernels are called \"", isa, "\""), cat("This CPU can run: ", names, "."));
}

}  // namespace limr::cpu
