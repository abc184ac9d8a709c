// native/ops/ref/value.h - see ops/value.h and ops/ref/dense.h.
#pragma once
#include "ops/value.h"

namespace limr::ref {

void value_forward(const ValueForward& op);
void value_backward(const ValueBackward& op);

}  // namespace limr::ref
