// The layers without weights over the device's operations, and the choice of a layer's class.
#include <type_traits>

#include "core/net/layer_base.h"
#include "core/net/weighted_layers.h"
#include "core/ops/operations.h"

namespace convoy {
namespace {

LrnSpec lrn_spec(const LayerSpec& spec, const LrnLayer& norm, const LayerPart& part) {
  return {
      local_input(spec, part),        spec.in.c / norm.groups,       norm.size,
      static_cast<float>(norm.alpha), static_cast<float>(norm.beta), static_cast<float>(norm.k)};
}

class ResponseNorm : public LayerBase {
 public:
  ResponseNorm(Device& device, const LayerSpec& spec, const LrnLayer& norm, const LayerPart& part)
      : LayerBase(spec, part), op_(device.operations().lrn(lrn_spec(spec, norm, part))) {}

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

// Pooling, alone or with the normalisation below it: operations that keep a state and can mask dx.
template <typename Op, typename Spec, std::unique_ptr<Op> (Operations::*Make)(const Spec&)>
class Pooling : public LayerBase {
 public:
  Pooling(Device& device, const std::string& name, const Shape& output, const Spec& spec)
      : LayerBase(name, output),
        device_(device),
        spec_(spec),
        op_((device.operations().*Make)(spec)),
        state_(device.allocate(op_->state_bytes())) {}
  [[nodiscard]] std::size_t workspace_bytes() const override { return op_->workspace_bytes(); }
  [[nodiscard]] bool mask_input_gradient() override {
    spec_.mask_dx = true;
    op_ = (device_.operations().*Make)(spec_);
    return true;
  }

  void forward(const Pass& pass, const Tensor& x, const Tensor& y) override {
    op_->forward(pass.op, x, y, state_.data());
  }
  void backward(const Pass& pass, const Tensor& x, const Tensor& y, const Tensor& dy,
                const Tensor* dx) override {
    op_->backward(pass.op, std::is_same_v<Op, PoolOp> ? y : x, dy, state_.data(), *dx);
  }

 private:
  Device& device_;
  Spec spec_;
  std::unique_ptr<Op> op_;
  Buffer state_;
};

using MaxPool = Pooling<PoolOp, PoolSpec, &Operations::pool>;
using NormPool = Pooling<LrnPoolOp, LrnPoolSpec, &Operations::lrn_pool>;

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
      return std::make_unique<MaxPool>(
          device, spec.name, local_output(spec, part),
          PoolSpec{local_input(spec, part), l.kernel, l.stride, l.round_up});
    }
    Result operator()(const ReluLayer&) { return std::make_unique<Relu>(device, spec, part); }
    Result operator()(const DropoutLayer& l) {
      return std::make_unique<Dropout>(device, spec, l, part);
    }
  };
  return std::visit(Make{device, spec, part}, spec.kind);
}

std::unique_ptr<Layer> make_fused_layer(Device& device, const LayerSpec& lower,
                                        const LayerPart& lower_part, const LayerSpec& upper,
                                        const LayerPart& upper_part) {
  const auto* const norm = std::get_if<LrnLayer>(&lower.kind);
  const auto* const pool = std::get_if<PoolLayer>(&upper.kind);
  if (norm == nullptr || pool == nullptr || lower_part.out != upper_part.in) return nullptr;
  return std::make_unique<NormPool>(
      device, lower.name + "+" + upper.name, local_output(upper, upper_part),
      LrnPoolSpec{lrn_spec(lower, *norm, lower_part), pool->kernel, pool->stride, pool->round_up});
}

}  // namespace convoy
