// Element-wise sum, in place.
#pragma once

#include "core/ops/op.h"

namespace convoy {

class AddOp {
 public:
  virtual ~AddOp() = default;
  // y = y + x, of equal shape.
  virtual void apply(const OpContext&, const Tensor& x, const Tensor& y) = 0;
};

}  // namespace convoy
