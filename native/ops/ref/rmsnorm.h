// native/ops/ref/rmsnorm.h - see ops/rmsnorm.h and ops/ref/dense.h.
#pragma once
#include "ops/rmsnorm.h"

namespace limr::ref {

void rmsnorm_forward(const RmsNormForward& op);
void rmsnorm_backward(const RmsNormBackward& op);

}  // namespace limr::ref
