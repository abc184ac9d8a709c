// native/ops/cpu/isa_neon.cc - the kernels for arm64.
#include <arm_neon.h>

#include "ops/cpu/table.h"

namespace limr::cpu {
namespace {
namespace neon {
#include "ops/cpu/simd_neon.h"

#include "ops/cpu/kernels.simd.h"
}  // namespace neon
}  // namespace
extern const Table kNeon = neon::make_table("neon");
}  // namespace limr::cpu
