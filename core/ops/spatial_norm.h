// Response normalisation over a square of pixels of the same map: the extra layer that the released
// 2012 code runs after its second response normalisation (`cnorm2`, type rnorm):
//   y = x d^-beta,  d = k + alpha * sum over the size x size window of x^2,
// the window centred, clipped at the map's edges and not rescaled. `alpha` is the factor of the sum
// (the 2012 configuration's scale divided by size^2).
#pragma once

#include <cstddef>
#include <cstdint>

#include "core/ops/op.h"

namespace convoy {

struct SpatialNormSpec {
  Shape x;                // [N, H, W, C]
  std::int64_t size = 5;  // odd
  float alpha = 4e-5f;
  float beta = 0.75f;
  float k = 1.0f;
};

class SpatialNormOp {
 public:
  virtual ~SpatialNormOp() = default;
  [[nodiscard]] virtual std::size_t workspace_bytes() const = 0;
  virtual void forward(const OpContext&, const Tensor& x, const Tensor& y) = 0;
  // The denominators are recomputed from x.
  virtual void backward(const OpContext&, const Tensor& x, const Tensor& dy, const Tensor& dx) = 0;
};

}  // namespace convoy
