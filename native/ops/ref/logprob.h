// native/ops/ref/logprob.h - see ops/logprob.h and ops/ref/dense.h.
#pragma once
#include "ops/logprob.h"

namespace limr::ref {

void logprob_forward(const LogprobForward& op);
// Reads the logits alone, never the statistics.
void logprob_backward(const LogprobBackward& op);

}  // namespace limr::ref
