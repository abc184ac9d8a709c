// native/ops/ref/embedding.h - see ops/embedding.h and ops/ref/dense.h.
#pragma once
#include "ops/embedding.h"

namespace limr::ref {

void embedding_forward(const EmbeddingForward& op);
void embedding_backward(const EmbeddingBackward& op);
void gather_rows(const GatherRows& op);

}  // namespace limr::ref
