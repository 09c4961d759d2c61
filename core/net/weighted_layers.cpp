// Convolution and fully connected layers over the device's operations.
#include "core/net/weighted_layers.h"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/net/input_gradient.h"
#include "core/net/layer_base.h"
#include "core/ops/operations.h"

namespace convoy {
namespace {

// Gradients of weights, told to the pass's sink: a convolution's all at once, those of fully
// connected layers, which are large, block by block while they lie in a cache.
void backward_weights(ConvOp& op, const Pass& pass, const Tensor& x, const Tensor& dy,
                      const Tensor& dw, const Tensor& db) {
  op.backward_weights(pass.op, x, dy, dw, db);
  if (pass.sink != nullptr) pass.sink->finished({dw.f32(), dw.count()}, dw.f32(), 0);
}
void backward_weights(FullyConnectedOp& op, const Pass& pass, const Tensor& x, const Tensor& dy,
                      const Tensor& dw, const Tensor& db) {
  op.backward_weights(pass.op, x, dy, dw, db, pass.sink);
}

// A layer with weights, a bias and a fused ReLU. Op: ConvOp or FullyConnectedOp, which have the
// same calls; `make_op(kernels)` makes one for so many of the kernels held here.
template <typename Op>
class WeightedLayer : public LayerBase {
 public:
  template <typename MakeOp>
  WeightedLayer(Device& device, const LayerSpec& spec, const LayerPart& part,
                const Initialisation& init, bool relu, const Shape& x, const MakeOp& make_op)
      : LayerBase(spec, part),
        first_(part.first),
        relu_(relu ? device.operations().relu() : nullptr),
        masks_dy_(relu),
        op_(make_op(part.out.size())) {
    const auto add = [&](const char* kind, const Shape& logical, std::uint32_t number) {
      parameters_.push_back(
          {spec.name, kind, logical, part.out, part.sharing, init, number, {}, {}, {}});
    };
    add("weight", spec.weight_shape(), 2 * part.number);
    add("bias", spec.bias_shape(), 2 * part.number + 1);
    multiply_adds_ = spec.weight_shape().per_row() * output().count();
    if (part.first || part.towers.size() < 2) return;
    std::vector<std::unique_ptr<Op>> ops;
    for (const Range& tower : part.towers) ops.push_back(make_op(tower.size()));
    tower_sum_.emplace(device, std::move(ops), part.towers, x, output());
  }
  [[nodiscard]] std::size_t workspace_bytes() const override {
    return std::max(op_->workspace_bytes(), tower_sum_ ? tower_sum_->workspace_bytes() : 0);
  }
  [[nodiscard]] std::int64_t forward_multiply_adds() const override { return multiply_adds_; }
  [[nodiscard]] std::int64_t backward_multiply_adds() const override {
    return first_ ? multiply_adds_ : 2 * multiply_adds_;
  }

  [[nodiscard]] bool ends_in_relu() const override { return relu_ != nullptr; }
  [[nodiscard]] bool mask_input_gradient() override {
    masks_dx_ = true;
    return true;
  }
  void expect_masked_gradient() override { masks_dy_ = false; }

  void forward(const Pass& pass, const Tensor& x, const Tensor& y) override {
    op_->forward(pass.op, x, weight().working, bias().working, y);
  }
  void backward(const Pass& pass, const Tensor& x, const Tensor& y, const Tensor& dy,
                const Tensor* dx) override {
    if (masks_dy_) relu_->backward(pass.op, y, dy);
    const Tensor* const mask = masks_dx_ ? &x : nullptr;
    // The sink may change the weights, so the gradient of the input is first.
    if (dx != nullptr && tower_sum_) {
      tower_sum_->run(pass.op, dy, weight().working, *dx, mask);
    } else if (dx != nullptr) {
      op_->backward_data(pass.op, dy, weight().working, *dx, mask);
    }
    backward_weights(*op_, pass, x, dy, weight().gradient, bias().gradient);
    const Tensor& db = bias().gradient;
    if (pass.sink != nullptr) pass.sink->finished({db.f32(), db.count()}, db.f32(), 0);
  }

 protected:
  [[nodiscard]] const Op& op() const { return *op_; }

 private:
  Parameter& weight() { return parameters_[0]; }
  Parameter& bias() { return parameters_[1]; }

  bool first_;
  std::unique_ptr<ReluOp> relu_;
  bool masks_dy_;          // by its own output, where it ends in a ReLU
  bool masks_dx_ = false;  // by its input, a ReLU's output
  std::unique_ptr<Op> op_;
  std::optional<InputGradient<Op>> tower_sum_;  // where kernels of several towers read the input
  std::int64_t multiply_adds_ = 0;
};

class Convolution : public WeightedLayer<ConvOp> {
 public:
  using WeightedLayer::WeightedLayer;
  [[nodiscard]] std::string implementation() const override { return op().implementation(); }
  [[nodiscard]] std::int64_t forward_products() const override { return op().products().forward; }
  [[nodiscard]] std::int64_t backward_products() const override {
    return op().products().data + op().products().weights;
  }
  [[nodiscard]] InputForm input_form(const Shape&) const override { return op().input_form(); }
};

}  // namespace

ConvSpec conv_spec(const LayerSpec& spec, const ConvLayer& conv, const LayerPart& part) {
  const std::int64_t kernels = part.out.size();
  return {.x = local_input(spec, part),
          .kernels = kernels,
          .kernel = conv.kernel,
          .stride = conv.stride,
          .pad_begin = conv.pad_begin,
          .pad_end = conv.pad_end,
          .groups = std::max<std::int64_t>(1, conv.groups * kernels / conv.kernels),
          .relu = conv.relu,
          .needs_dx = !part.first,
          .method = part.method,
          .sum_parts = part.sum_parts,
          .exact_zeros = part.exact_zeros};
}

std::unique_ptr<Layer> make_convolution(Device& device, const LayerSpec& spec,
                                        const ConvLayer& conv, const LayerPart& part) {
  return std::make_unique<Convolution>(
      device, spec, part, conv.init, conv.relu, local_input(spec, part), [&](std::int64_t kernels) {
        LayerPart held = part;
        held.out = {part.out.begin, part.out.begin + kernels};
        return device.operations().conv(conv_spec(spec, conv, held));
      });
}

std::unique_ptr<Layer> make_fully_connected(Device& device, const LayerSpec& spec,
                                            const FullyConnectedLayer& fc, const LayerPart& part) {
  const std::int64_t in = spec.weight_shape().per_row();
  return std::make_unique<WeightedLayer<FullyConnectedOp>>(
      device, spec, part, fc.init, fc.relu, Shape{part.images, 1, 1, in},
      [&](std::int64_t neurons) {
        return device.operations().fully_connected(
            {part.images, in, neurons, fc.relu, part.sum_parts});
      });
}

}  // namespace convoy
