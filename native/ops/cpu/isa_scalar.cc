// native/ops/cpu/isa_scalar.cc - the kernels for any CPU.
#include "ops/cpu/table.h"

namespace limr::cpu {
namespace {
namespace scalar {
#include "ops/cpu/simd_scalar.h"

#include "ops/cpu/kernels.simd.h"
}  // namespace scalar
}  // namespace
extern const Table kScalar = scalar::make_table("scalar");
}  // namespace limr::cpu
