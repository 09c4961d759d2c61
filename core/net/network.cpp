// Plans a network's memory and runs its passes.
#include "core/net/network.h"

#include <algorithm>
#include <utility>

#include "core/ops/operations.h"

namespace convoy {

Network::Network(Device& device, const Shape& input, std::vector<std::unique_ptr<Layer>> layers)
    : device_(device), layers_(std::move(layers)), input_form_(layers_.front()->input_form(input)) {
  for (const auto& layer : layers_)
    range_names_.emplace_back(layer->name() + " forward", layer->name() + " backward");
  plan_masks();
  const MemoryPlan plan = memory_plan();
  require_memory(device, plan, input.n);
  plan_activations(input_form_.shape(input.n));
  plan_gradients(plan.gradients / 2);
  plan_parameters();
  workspace_ = device_.allocate(plan.workspace);
}

void Network::plan_masks() {
  for (std::size_t i = 1; i < layers_.size(); ++i) {
    Layer& below = *layers_[i - 1];
    if (below.ends_in_relu() && layers_[i]->mask_input_gradient()) below.expect_masked_gradient();
  }
}

void Network::plan_activations(const Shape& input) {
  const auto allocate = [&](const Shape& shape) {
    const DType type = device_.activation_type();
    buffers_.push_back(device_.allocate(static_cast<std::size_t>(shape.count()) * size_of(type)));
    return Tensor{buffers_.back().data(), shape, type};
  };
  activations_.push_back(allocate(input));
  for (const auto& layer : layers_) {
    activations_.push_back(layer->in_place() ? activations_.back() : allocate(layer->output()));
  }
}

MemoryPlan Network::memory_plan() const {
  const std::size_t value = size_of(device_.activation_type());
  const bool copies = device_.activation_type() != DType::f32;
  MemoryPlan plan;
  std::int64_t largest = 0;
  std::int64_t all = input_form_.shape(layers_.front()->output().n).count();
  for (const auto& layer : layers_) {
    largest = std::max(largest, layer->output().count());
    if (!layer->in_place()) all += layer->output().count();
    plan.workspace = std::max(plan.workspace, layer->workspace_bytes());
    for (const Parameter& parameter : layer->parameters()) {
      const auto count = static_cast<std::size_t>(padded(parameter));
      plan.parameters += count * (3 * sizeof(float) + (copies ? value : 0));
    }
  }
  plan.activations = static_cast<std::size_t>(all) * value;
  plan.gradients = 2 * static_cast<std::size_t>(largest) * value;
  return plan;
}

// The gradient of an activation lives from the backward pass of the layer above to that of the
// layer below, so two memories in turn serve all of them.
void Network::plan_gradients(std::size_t largest_bytes) {
  void* memory[2];
  for (void*& half : memory) {
    buffers_.push_back(device_.allocate(largest_bytes));
    half = buffers_.back().data();
  }
  activation_gradients_.resize(layers_.size());
  std::size_t turn = 0;
  for (std::size_t i = layers_.size(); i-- > 0;) {
    activation_gradients_[i] = {memory[turn % 2], activations_[i + 1].shape,
                                device_.activation_type()};
    if (!layers_[i]->in_place()) ++turn;
  }
  logits_gradient_ = activation_gradients_.back();
}

void Network::plan_parameters() {
  ready_after_.resize(layers_.size());
  std::int64_t count = 0;
  for (std::size_t i = layers_.size(); i-- > 0;) {
    for (Parameter& parameter : layers_[i]->parameters()) {
      parameters_.push_back(&parameter);
      count += padded(parameter);
    }
    ready_after_[i] = count;
  }
  const auto bytes = static_cast<std::size_t>(count) * sizeof(float);
  buffers_.push_back(device_.allocate(bytes));
  gradient_memory_ = device_.allocate(bytes);
  values_ = {buffers_.back().data(), {count, 1, 1, 1}, DType::f32};
  gradients_ = {gradient_memory_.data(), values_.shape, DType::f32};
  working_ = values_;
  if (const DType type = device_.activation_type(); type != DType::f32) {
    buffers_.push_back(device_.allocate(static_cast<std::size_t>(count) * size_of(type)));
    working_ = {buffers_.back().data(), values_.shape, type};
    convert_ = device_.operations().convert();
  }
  place_parameters();
}

// Kernels of GPUs read 16 bytes at a time, in either type.
std::int64_t Network::padded(const Parameter& parameter) const {
  const std::int64_t unit = device_.kind() == DeviceKind::cpu ? 1 : 64;
  return (parameter.local().count() + unit - 1) / unit * unit;
}

void Network::place_parameters() {
  std::int64_t offset = 0;
  for (Parameter* parameter : parameters_) {
    parameter->value = values_.part(offset, parameter->local());
    parameter->working = working_.part(offset, parameter->local());
    parameter->gradient = gradients_.part(offset, parameter->local());
    offset += padded(*parameter);
  }
}

void Network::move_gradients(float* memory) {
  gradients_.data = memory;
  gradient_memory_ = {};
  place_parameters();
}

void Network::refresh_working(Stream& stream) {
  if (convert_) convert_->apply({stream}, values_, working_);
}

void Network::initialise(std::uint64_t seed, Stream& stream) {
  for (Parameter* parameter : parameters_) {
    const std::vector<float> host = initial_values(*parameter, seed);
    device_.copy_to_device(parameter->value.data, host.data(), host.size() * sizeof(float), stream);
    stream.synchronize();
  }
  refresh_working(stream);
}

void Network::forward(const Pass& pass, LayerObserver* observer) {
  forward(pass, all_layers(), observer);
}

void Network::forward(const Pass& pass, Range layers, LayerObserver* observer) {
  const auto end = static_cast<std::size_t>(layers.end);
  for (auto i = static_cast<std::size_t>(layers.begin); i < end; ++i) {
    const NamedRange range(device_, range_names_[i].first.c_str());
    if (observer != nullptr) observer->begin(i, false);
    layers_[i]->forward(pass, activations_[i], activations_[i + 1]);
    if (observer != nullptr) observer->end(i, false);
  }
}

void Network::backward(const Pass& pass, const std::function<void(std::int64_t)>& gradients_ready,
                       LayerObserver* observer) {
  backward(pass, all_layers(), gradients_ready, observer);
}

void Network::backward(const Pass& pass, Range layers,
                       const std::function<void(std::int64_t)>& gradients_ready,
                       LayerObserver* observer) {
  const auto begin = static_cast<std::size_t>(layers.begin);
  for (auto i = static_cast<std::size_t>(layers.end); i-- > begin;) {
    const NamedRange range(device_, range_names_[i].second.c_str());
    if (observer != nullptr) observer->begin(i, true);
    const Tensor* dx = i > 0 ? &activation_gradients_[i - 1] : nullptr;
    layers_[i]->backward(pass, activations_[i], activations_[i + 1], activation_gradients_[i], dx);
    if (observer != nullptr) observer->end(i, true);
    if (gradients_ready) gradients_ready(ready_after_[i]);
  }
}

}  // namespace convoy
