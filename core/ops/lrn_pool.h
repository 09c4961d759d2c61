// Response normalisation across maps and, straight after it, max pooling: what lrn.h and pool.h do
// one after the other, to the bit, without a normalised tensor in between.
#pragma once

#include <cstddef>
#include <cstdint>

#include "core/ops/lrn.h"
#include "core/ops/op.h"
#include "core/ops/pool.h"

namespace convoy {

struct LrnPoolSpec {
  LrnSpec norm;  // norm.x is the operation's input
  std::int64_t kernel = 3;
  std::int64_t stride = 2;
  bool round_up = false;
  bool mask_dx = false;  // x is a ReLU's output: dx is 0 where not x > 0

  [[nodiscard]] PoolSpec pool() const { return {norm.x, kernel, stride, round_up}; }
};

class LrnPoolOp {
 public:
  virtual ~LrnPoolOp() = default;
  [[nodiscard]] virtual std::size_t workspace_bytes() const = 0;
  // Bytes kept from forward to backward (which element was the maximum), owned by the caller.
  [[nodiscard]] virtual std::size_t state_bytes() const = 0;

  // y [N, P, Q, C], the pooled maps.
  virtual void forward(const OpContext&, const Tensor& x, const Tensor& y, void* state) = 0;
  // dx from the gradient of the pooled maps; overwritten. Denominators are recomputed from x.
  virtual void backward(const OpContext&, const Tensor& x, const Tensor& dy, const void* state,
                        const Tensor& dx) = 0;
};

}  // namespace convoy
