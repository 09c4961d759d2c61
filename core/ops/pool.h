// Overlapping max pooling without padding. Krizhevsky et al. 2012, section 3.4.
#pragma once

#include <cstddef>
#include <cstdint>

#include "core/ops/op.h"

namespace convoy {

// Output extent: (in - kernel) / stride rounded down or up, plus 1. Rounding up lets the last
// window reach past the edge; it is clipped, and never lies wholly outside.
struct PoolSpec {
  Shape x;  // [N, H, W, C]
  std::int64_t kernel = 3;
  std::int64_t stride = 2;
  bool round_up = false;
  bool mask_dx = false;  // x is a ReLU's output: dx is 0 where not x > 0

  [[nodiscard]] std::int64_t extent(std::int64_t in) const {
    if (!round_up) return in < kernel ? 0 : (in - kernel) / stride + 1;
    std::int64_t out = in <= kernel ? 1 : (in - kernel + stride - 1) / stride + 1;
    if ((out - 1) * stride >= in) --out;
    return out;
  }
  [[nodiscard]] Shape y() const { return {x.n, extent(x.h), extent(x.w), x.c}; }
};

class PoolOp {
 public:
  virtual ~PoolOp() = default;
  [[nodiscard]] virtual std::size_t workspace_bytes() const = 0;
  // Bytes kept from forward to backward (which element was the maximum), owned by the caller.
  [[nodiscard]] virtual std::size_t state_bytes() const = 0;

  // A window with a NaN gives NaN.
  virtual void forward(const OpContext&, const Tensor& x, const Tensor& y, void* state) = 0;
  // The gradient of an output goes to the first maximum of its window, in row order; dx is
  // overwritten. y is read where mask_dx is set: a maximum has its output's value. It may have been
  // multiplied by numbers >= 0 since, as dy then was too (dropout).
  virtual void backward(const OpContext&, const Tensor& y, const Tensor& dy, const void* state,
                        const Tensor& dx) = 0;
};

}  // namespace convoy
