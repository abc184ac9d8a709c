// native/ops/ref/attention.h - see ops/attention.h and ops/ref/dense.h.
#pragma once
#include "ops/attention.h"

namespace limr::ref {

void attention_forward(const AttentionForward& op);
void attention_backward(const AttentionBackward& op);

}  // namespace limr::ref
