// Convolution and fully connected layers over the device's operations.
#include "core/net/weighted_layers.h"

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "core/net/input_gradient.h"
#include "core/net/layer_base.h"
#include "core/ops/operations.h"

namespace convoy {
namespace {

// What convolution and fully connected layers share: weights, bias, a ReLU that is fused into the
// forward pass, and multiply-adds.
class WeightedLayer : public LayerBase {
 public:
  WeightedLayer(Device& device, const LayerSpec& spec, const LayerPart& part,
                const Initialisation& init, bool relu)
      : LayerBase(spec, part),
        first_(part.first),
        relu_(relu ? device.operations().relu() : nullptr) {
    parameters_.push_back(
        {spec.name, "weight", spec.weight_shape(), part.out, init, 2 * part.number, {}, {}});
    parameters_.push_back(
        {spec.name, "bias", spec.bias_shape(), part.out, init, 2 * part.number + 1, {}, {}});
    const Shape y = output();
    multiply_adds_ = spec.weight_shape().per_row() * y.count();
  }
  [[nodiscard]] std::int64_t forward_multiply_adds() const override { return multiply_adds_; }
  [[nodiscard]] std::int64_t backward_multiply_adds() const override {
    return first_ ? multiply_adds_ : 2 * multiply_adds_;
  }

 protected:
  void mask(const Pass& pass, const Tensor& y, const Tensor& dy) {
    if (relu_) relu_->backward(pass.op, y, dy);
  }
  Parameter& weight() { return parameters_[0]; }
  Parameter& bias() { return parameters_[1]; }

 private:
  bool first_;
  std::unique_ptr<ReluOp> relu_;
  std::int64_t multiply_adds_ = 0;
};

class Convolution : public WeightedLayer {
 public:
  Convolution(Device& device, const LayerSpec& spec, const ConvLayer& conv, const LayerPart& part)
      : WeightedLayer(device, spec, part, conv.init, conv.relu),
        op_(device.operations().conv(local_spec(spec, conv, part, part.out.size()))) {
    if (!part.first) {
      input_gradient_.emplace(device, tower_ops(device, spec, conv, part), part.towers,
                              local_input(spec, part), output());
    }
  }
  [[nodiscard]] std::size_t workspace_bytes() const override {
    return std::max(op_->workspace_bytes(),
                    input_gradient_ ? input_gradient_->workspace_bytes() : 0);
  }
  [[nodiscard]] std::string implementation() const override { return op_->implementation(); }

  void forward(const Pass& pass, const Tensor& x, const Tensor& y) override {
    op_->forward(pass.op, x, weight().value, bias().value, y);
  }
  void backward(const Pass& pass, const Tensor& x, const Tensor& y, const Tensor& dy,
                const Tensor* dx) override {
    mask(pass, y, dy);
    op_->backward_weights(pass.op, x, dy, weight().gradient, bias().gradient);
    if (dx != nullptr) input_gradient_->run(pass.op, dy, weight().value, *dx);
  }

 private:
  static ConvSpec local_spec(const LayerSpec& spec, const ConvLayer& conv, const LayerPart& part,
                             std::int64_t kernels) {
    const std::int64_t groups = std::max<std::int64_t>(1, conv.groups * kernels / conv.kernels);
    return {local_input(spec, part),
            kernels,
            conv.kernel,
            conv.stride,
            conv.pad_begin,
            conv.pad_end,
            groups,
            conv.relu,
            !part.first};
  }

  static std::vector<std::unique_ptr<ConvOp>> tower_ops(Device& device, const LayerSpec& spec,
                                                        const ConvLayer& conv,
                                                        const LayerPart& part) {
    std::vector<std::unique_ptr<ConvOp>> ops;
    for (const Range& tower : part.towers) {
      ops.push_back(device.operations().conv(local_spec(spec, conv, part, tower.size())));
    }
    return ops;
  }

  std::unique_ptr<ConvOp> op_;
  std::optional<InputGradient<ConvOp>> input_gradient_;
};

class FullyConnected : public WeightedLayer {
 public:
  FullyConnected(Device& device, const LayerSpec& spec, const FullyConnectedLayer& fc,
                 const LayerPart& part)
      : WeightedLayer(device, spec, part, fc.init, fc.relu),
        op_(make_op(device, spec, part, part.out.size(), fc.relu)),
        input_gradient_(device, tower_ops(device, spec, fc, part), part.towers,
                        {part.images, 1, 1, spec.weight_shape().per_row()}, output()) {}
  [[nodiscard]] std::size_t workspace_bytes() const override {
    return std::max(op_->workspace_bytes(), input_gradient_.workspace_bytes());
  }

  void forward(const Pass& pass, const Tensor& x, const Tensor& y) override {
    op_->forward(pass.op, x, weight().value, bias().value, y);
  }
  void backward(const Pass& pass, const Tensor& x, const Tensor& y, const Tensor& dy,
                const Tensor* dx) override {
    mask(pass, y, dy);
    op_->backward_weights(pass.op, x, dy, weight().gradient, bias().gradient);
    if (dx != nullptr) input_gradient_.run(pass.op, dy, weight().value, *dx);
  }

 private:
  static std::unique_ptr<FullyConnectedOp> make_op(Device& device, const LayerSpec& spec,
                                                   const LayerPart& part, std::int64_t neurons,
                                                   bool relu) {
    return device.operations().fully_connected(
        {part.images, spec.weight_shape().per_row(), neurons, relu});
  }

  static std::vector<std::unique_ptr<FullyConnectedOp>> tower_ops(Device& device,
                                                                  const LayerSpec& spec,
                                                                  const FullyConnectedLayer& fc,
                                                                  const LayerPart& part) {
    std::vector<std::unique_ptr<FullyConnectedOp>> ops;
    for (const Range& tower : part.towers) {
      ops.push_back(make_op(device, spec, part, tower.size(), fc.relu));
    }
    return ops;
  }

  std::unique_ptr<FullyConnectedOp> op_;
  InputGradient<FullyConnectedOp> input_gradient_;
};

}  // namespace

std::unique_ptr<Layer> make_convolution(Device& device, const LayerSpec& spec,
                                        const ConvLayer& conv, const LayerPart& part) {
  return std::make_unique<Convolution>(device, spec, conv, part);
}

std::unique_ptr<Layer> make_fully_connected(Device& device, const LayerSpec& spec,
                                            const FullyConnectedLayer& fc, const LayerPart& part) {
  return std::make_unique<FullyConnected>(device, spec, fc, part);
}

}  // namespace convoy
