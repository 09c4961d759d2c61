// Local response normalisation across neighbouring maps. Krizhevsky et al. 2012, section 3.3:
//   y_i = x_i d_i^-beta,  d_i = k + alpha * sum over j in [i - n/2, i + n/2] of x_j^2
// with the window clipped at the edges of its group of channels (a tower, or all maps).
// `alpha` is the factor of the sum itself: the paper's 1e-4 undivided. Codes that divide by n (the
// 2012 code, Caffe, PyTorch, cuDNN) are expressed by passing alpha / n.
#pragma once

#include <cstddef>
#include <cstdint>

#include "core/ops/op.h"

namespace convoy {

struct LrnSpec {
  Shape x;                 // [N, H, W, C]
  std::int64_t group = 0;  // channels the window stays inside; divides C
  std::int64_t size = 5;   // n, odd
  float alpha = 1e-4f;
  float beta = 0.75f;
  float k = 2.0f;
};

class LrnOp {
 public:
  virtual ~LrnOp() = default;
  virtual void forward(const OpContext&, const Tensor& x, const Tensor& y) = 0;
  // dx_j = dy_j d_j^-beta - 2 alpha beta x_j * sum over i in window(j) of dy_i y_i / d_i.
  // The denominators are recomputed from x. `dx` may be the same memory as `dy`.
  virtual void backward(const OpContext&, const Tensor& x, const Tensor& dy, const Tensor& dx) = 0;
};

}  // namespace convoy
