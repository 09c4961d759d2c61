// Fully connected layer: y = relu?(x w^T + b). Krizhevsky et al. 2012, section 3.5.
#pragma once

#include <cstddef>
#include <cstdint>

#include "core/ops/gradient_sink.h"
#include "core/ops/op.h"

namespace convoy {

struct FullyConnectedSpec {
  std::int64_t images = 0;  // N
  std::int64_t in = 0;      // values per image, H W C in NHWC order
  std::int64_t out = 0;     // neurons
  bool relu = false;
  std::int64_t sum_parts = 1;  // of the images, for gradients of weights and biases: ConvSpec
};

// Throws Error(usage) for an empty layer or parts of sums that do not fit it.
void check_fully_connected(const FullyConnectedSpec& spec);

class FullyConnectedOp {
 public:
  virtual ~FullyConnectedOp() = default;
  [[nodiscard]] virtual std::size_t workspace_bytes() const = 0;

  // x [N, in], w [out, in], b [out], y [N, out].
  virtual void forward(const OpContext&, const Tensor& x, const Tensor& w, const Tensor& b,
                       const Tensor& y) = 0;
  // dy is the gradient before ReLU (mask it first: relu.h). dx [N, in] is overwritten.
  // `mask`, or null, has the shape of dx: dx is 0 where not mask > 0, for an input that is a ReLU's
  // output.
  virtual void backward_data(const OpContext&, const Tensor& dy, const Tensor& w, const Tensor& dx,
                             const Tensor* mask) = 0;
  // dw [out, in] and db [out], overwritten. `sink`, unless null, is told of blocks of dw as they
  // are made, not of db; dw itself may then be left alone where the sink does not want it stored.
  virtual void backward_weights(const OpContext&, const Tensor& x, const Tensor& dy,
                                const Tensor& dw, const Tensor& db,
                                GradientSink* sink = nullptr) = 0;
};

}  // namespace convoy
