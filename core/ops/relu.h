// Rectified linear unit, in place. Krizhevsky et al. 2012, section 3.1.
#pragma once

#include "core/ops/op.h"

namespace convoy {

class ReluOp {
 public:
  virtual ~ReluOp() = default;
  // x = max(0, x); a NaN stays a NaN.
  virtual void forward(const OpContext&, const Tensor& x) = 0;
  // dy = y > 0 ? dy : 0, in place; y is the output of forward.
  virtual void backward(const OpContext&, const Tensor& y, const Tensor& dy) = 0;
};

}  // namespace convoy
