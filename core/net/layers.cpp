// The layers without weights over the device's operations, and the choice of a layer's class.
#include "core/net/layer_base.h"
#include "core/net/weighted_layers.h"
#include "core/ops/operations.h"

namespace convoy {
namespace {

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
  void backward(const Pass& pass, const Tensor&, const Tensor& y, const Tensor& dy,
                const Tensor* dx) override {
    op_->backward(pass.op, y, dy, state_.data(), *dx);
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

    Result operator()(const ConvLayer& l) { return make_convolution(device, spec, l, part); }
    Result operator()(const FullyConnectedLayer& l) {
      return make_fully_connected(device, spec, l, part);
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
