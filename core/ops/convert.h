// Copies values to another type: fp32 parameters to the bf16 ones that operations read.
#pragma once

#include "core/ops/op.h"

namespace convoy {

class ConvertOp {
 public:
  virtual ~ConvertOp() = default;
  // to = from, of equal count; each is fp32 or bf16. Rounded to nearest, ties to even.
  virtual void apply(const OpContext&, const Tensor& from, const Tensor& to) = 0;
};

}  // namespace convoy
