// 2-D convolution (cross-correlation) with bias and optional ReLU, grouped by towers.
// Krizhevsky et al. 2012, section 3.5; the groups are section 3.2's GPUs.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "core/ops/input_form.h"
#include "core/ops/op.h"

namespace convoy {

// How the products are made. `direct`: tap by tap, any shape. `minimal`: by minimal filtering
// (Winograd, Toom-Cook), a quarter to a sixth of the products, slightly larger rounding errors.
enum class ConvMethod { direct, minimal };

// Output extent: floor((in + pad_begin + pad_end - kernel) / stride) + 1 in each direction.
struct ConvSpec {
  Shape x;                   // [N, H, W, C]
  std::int64_t kernels = 0;  // K, a multiple of groups
  std::int64_t kernel = 0;   // R = S
  std::int64_t stride = 1;
  std::int64_t pad_begin = 0;  // zeros above and to the left
  std::int64_t pad_end = 0;    // zeros below and to the right
  std::int64_t groups = 1;     // kernels of group g read channels of group g only
  bool relu = false;           // y = max(0, conv(x) + b)
  bool needs_dx = true;        // false for the first layer
  ConvMethod method = ConvMethod::direct;
  // Gradients of weights and biases are summed over `sum_parts` equal runs of the images each, and
  // those sums pairwise: (0 + 1) + (2 + 3). A power of two that divides N. A rank with half of the
  // batch and half of the parts makes half of this tree, so that replicas and a single rank round
  // alike. `minimal` keeps to it; `direct` sums as its library does.
  std::int64_t sum_parts = 1;
  // For Adam, which makes a full step of a gradient of any size: in each of these sums, a weight
  // for which no product has both factors other than 0 gets exactly 0, as from `direct`, where
  // `minimal` otherwise leaves rounding. A GPU's library does as it does.
  bool exact_zeros = false;

  [[nodiscard]] Shape y() const {
    const auto extent = [&](std::int64_t in) {
      return (in + pad_begin + pad_end - kernel) / stride + 1;
    };
    return {x.n, extent(x.h), extent(x.w), kernels};
  }
  [[nodiscard]] Shape weights() const { return {kernels, kernel, kernel, x.c / groups}; }
};

// Multiply-adds that the passes really make; data is 0 without needs_dx.
struct ConvProducts {
  std::int64_t forward = 0;
  std::int64_t data = 0;
  std::int64_t weights = 0;
};

// Throws Error(usage) for shapes, groups or parts of sums that do not fit each other.
void check_conv(const ConvSpec& spec);

// Taps on a side of the kernel once stride x stride pixels are seen as channels of one.
[[nodiscard]] std::int64_t minimal_taps(const ConvSpec& spec);
// Whether `minimal` can do it: 3 x 3 or 5 x 5 taps with stride 1, or a first layer whose blocks of
// stride x stride pixels make it such a one.
[[nodiscard]] bool minimal_fits(const ConvSpec& spec);
// The form in which a convolution by minimal filtering reads its input.
[[nodiscard]] InputForm minimal_input_form(const ConvSpec& spec);

class ConvOp {
 public:
  virtual ~ConvOp() = default;
  // The form in which forward and backward_weights read x; plain unless this is a first layer.
  [[nodiscard]] virtual InputForm input_form() const = 0;
  [[nodiscard]] virtual std::size_t workspace_bytes() const = 0;
  // Which implementation runs, for logs and `convoy bench`: "jit:avx512_core" and the like.
  [[nodiscard]] virtual std::string implementation() const = 0;
  [[nodiscard]] virtual ConvProducts products() const = 0;

  // y [N, P, Q, K] = relu?(conv(x, w) + b); w [K, R, S, C/groups], b [K].
  virtual void forward(const OpContext&, const Tensor& x, const Tensor& w, const Tensor& b,
                       const Tensor& y) = 0;
  // dx [N, H, W, C] from dy, the gradient before ReLU (mask it first: relu.h). `mask`, or null, has
  // the shape of dx: dx is 0 where not mask > 0, for an input that is a ReLU's output.
  virtual void backward_data(const OpContext&, const Tensor& dy, const Tensor& w, const Tensor& dx,
                             const Tensor* mask) = 0;
  // dw [K, R, S, C/groups] and db [K], overwritten.
  virtual void backward_weights(const OpContext&, const Tensor& x, const Tensor& dy,
                                const Tensor& dw, const Tensor& db) = 0;
};

}  // namespace convoy
