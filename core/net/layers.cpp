// The layers of AlexNet over the device's operations.
#include <algorithm>
#include <optional>
#include <utility>

#include "core/net/input_gradient.h"
#include "core/net/layer.h"
#include "core/ops/operations.h"

namespace convoy {
namespace {

Shape local_input(const LayerSpec& spec, const LayerPart& part) {
  return {part.images, spec.in.h, spec.in.w, part.in.size()};
}

Shape local_output(const LayerSpec& spec, const LayerPart& part) {
  return {part.images, spec.out.h, spec.out.w, part.out.size()};
}

class LayerBase : public Layer {
 public:
  LayerBase(const LayerSpec& spec, const LayerPart& part)
      : name_(spec.name), output_(local_output(spec, part)) {}
  [[nodiscard]] const std::string& name() const override { return name_; }
  [[nodiscard]] Shape output() const override { return output_; }

 private:
  std::string name_;
  Shape output_;
};

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

class ResponseNorm : public LayerBase {
 public:
  ResponseNorm(Device& device, const LayerSpec& spec, const LrnLayer& norm, const LayerPart& part)
      : LayerBase(spec, part),
        op_(device.operations().lrn({local_input(spec, part), spec.in.c / norm.groups, norm.size,
                                     static_cast<float>(norm.alpha), static_cast<float>(norm.beta),
                                     static_cast<float>(norm.k)})) {}

  void forward(const Pass& pass, const Tensor& x, const Tensor& y) override {
    op_->forward(pass.op, x, y);
  }
  void backward(const Pass& pass, const Tensor& x, const Tensor&, const Tensor& dy,
                const Tensor* dx) override {
    op_->backward(pass.op, x, dy, *dx);
  }

 private:
  std::unique_ptr<LrnOp> op_;
};

class SpatialNorm : public LayerBase {
 public:
  SpatialNorm(Device& device, const LayerSpec& spec, const SpatialNormLayer& norm,
              const LayerPart& part)
      : LayerBase(spec, part),
        op_(device.operations().spatial_norm(
            {local_input(spec, part), norm.size, static_cast<float>(norm.alpha),
             static_cast<float>(norm.beta), static_cast<float>(norm.k)})) {}
  [[nodiscard]] std::size_t workspace_bytes() const override { return op_->workspace_bytes(); }

  void forward(const Pass& pass, const Tensor& x, const Tensor& y) override {
    op_->forward(pass.op, x, y);
  }
  void backward(const Pass& pass, const Tensor& x, const Tensor&, const Tensor& dy,
                const Tensor* dx) override {
    op_->backward(pass.op, x, dy, *dx);
  }

 private:
  std::unique_ptr<SpatialNormOp> op_;
};

class MaxPool : public LayerBase {
 public:
  MaxPool(Device& device, const LayerSpec& spec, const PoolLayer& pool, const LayerPart& part)
      : LayerBase(spec, part),
        op_(device.operations().pool(
            {local_input(spec, part), pool.kernel, pool.stride, pool.round_up})),
        state_(device.allocate(op_->state_bytes())) {}
  [[nodiscard]] std::size_t workspace_bytes() const override { return op_->workspace_bytes(); }

  void forward(const Pass& pass, const Tensor& x, const Tensor& y) override {
    op_->forward(pass.op, x, y, state_.data());
  }
  void backward(const Pass& pass, const Tensor&, const Tensor&, const Tensor& dy,
                const Tensor* dx) override {
    op_->backward(pass.op, dy, state_.data(), *dx);
  }

 private:
  std::unique_ptr<PoolOp> op_;
  Buffer state_;
};

class Relu : public LayerBase {
 public:
  Relu(Device& device, const LayerSpec& spec, const LayerPart& part)
      : LayerBase(spec, part), op_(device.operations().relu()) {}
  [[nodiscard]] bool in_place() const override { return true; }

  void forward(const Pass& pass, const Tensor&, const Tensor& y) override {
    op_->forward(pass.op, y);
  }
  void backward(const Pass& pass, const Tensor&, const Tensor& y, const Tensor& dy,
                const Tensor*) override {
    op_->backward(pass.op, y, dy);
  }

 private:
  std::unique_ptr<ReluOp> op_;
};

// In place after a ReLU is safe: a dropped output is 0, so the ReLU below passes no gradient there,
// and the mask passes none either. After pooling it is safe because pooling keeps its own state.
class Dropout : public LayerBase {
 public:
  Dropout(Device& device, const LayerSpec& spec, const DropoutLayer& dropout, const LayerPart& part)
      : LayerBase(spec, part),
        train_scale_(static_cast<float>(dropout.train_scale)),
        test_scale_(static_cast<float>(dropout.test_scale)),
        op_(device.operations().dropout({local_output(spec, part), spec.out.c, part.out.begin,
                                         dropout.number, dropout.drop})) {}
  [[nodiscard]] bool in_place() const override { return true; }

  void forward(const Pass& pass, const Tensor&, const Tensor& y) override {
    if (pass.training) {
      op_->apply(pass.op, pass.draw, train_scale_, y);
    } else if (test_scale_ != 1) {
      op_->rescale(pass.op, test_scale_, y);
    }
  }
  void backward(const Pass& pass, const Tensor&, const Tensor&, const Tensor& dy,
                const Tensor*) override {
    op_->apply(pass.op, pass.draw, train_scale_, dy);
  }

 private:
  float train_scale_;
  float test_scale_;
  std::unique_ptr<DropoutOp> op_;
};

}  // namespace

std::unique_ptr<Layer> make_layer(Device& device, const LayerSpec& spec, const LayerPart& part) {
  struct Make {
    Device& device;
    const LayerSpec& spec;
    const LayerPart& part;
    using Result = std::unique_ptr<Layer>;

    Result operator()(const ConvLayer& l) {
      return std::make_unique<Convolution>(device, spec, l, part);
    }
    Result operator()(const FullyConnectedLayer& l) {
      return std::make_unique<FullyConnected>(device, spec, l, part);
    }
    Result operator()(const LrnLayer& l) {
      return std::make_unique<ResponseNorm>(device, spec, l, part);
    }
    Result operator()(const SpatialNormLayer& l) {
      return std::make_unique<SpatialNorm>(device, spec, l, part);
    }
    Result operator()(const PoolLayer& l) {
      return std::make_unique<MaxPool>(device, spec, l, part);
    }
    Result operator()(const ReluLayer&) { return std::make_unique<Relu>(device, spec, part); }
    Result operator()(const DropoutLayer& l) {
      return std::make_unique<Dropout>(device, spec, l, part);
    }
  };
  return std::visit(Make{device, spec, part}, spec.kind);
}

}  // namespace convoy
