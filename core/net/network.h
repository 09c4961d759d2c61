// A chain of layers with its memory: activations, gradients and parameters, planned once.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "core/device.h"
#include "core/net/layer.h"
#include "core/net/memory_plan.h"
#include "core/ops/convert.h"

namespace convoy {

// Told when a layer's pass begins and ends; `convoy bench` times layers with it.
class LayerObserver {
 public:
  virtual ~LayerObserver() = default;
  virtual void begin(std::size_t layer, bool backward) = 0;
  virtual void end(std::size_t layer, bool backward) = 0;
};

class Network {
 public:
  // `input` is the local [N, H, W, 3]. All memory of training is allocated here, but the solver's.
  // Throws Error(resource) where it is too much for the device.
  Network(Device& device, const Shape& input, std::vector<std::unique_ptr<Layer>> layers);

  // In the form that the first layer reads; prepare_input.h writes it.
  [[nodiscard]] const Tensor& input() const { return activations_.front(); }
  [[nodiscard]] const InputForm& input_form() const { return input_form_; }
  [[nodiscard]] const Tensor& logits() const { return activations_.back(); }
  // What a layer reads; valid while it is passed (LayerObserver::begin).
  [[nodiscard]] const Tensor& input_of(std::size_t layer) const { return activations_[layer]; }
  // Where the loss writes its gradient before backward.
  [[nodiscard]] const Tensor& logits_gradient() const { return logits_gradient_; }
  // What a layer wrote; there until another writes over it (in_place()).
  [[nodiscard]] const Tensor& output_of(std::size_t layer) const { return activations_[layer + 1]; }
  // The loss's gradient by it, from the backward pass of the layer above until the layer's own.
  [[nodiscard]] const Tensor& gradient_of_output(std::size_t layer) const {
    return activation_gradients_[layer];
  }
  [[nodiscard]] std::size_t workspace_bytes() const { return workspace_.bytes(); }
  [[nodiscard]] void* workspace() const { return workspace_.data(); }
  [[nodiscard]] std::span<const std::unique_ptr<Layer>> layers() const { return layers_; }

  // In the order in which backward finishes their gradients (last layer first); values, working
  // copies and gradients of all of them lie in this order, on a GPU with gaps of zeros that keep
  // each aligned.
  [[nodiscard]] std::span<Parameter* const> parameters() const { return parameters_; }
  [[nodiscard]] const Tensor& values() const { return values_; }        // [count]
  [[nodiscard]] const Tensor& working() const { return working_; }      // [count]
  [[nodiscard]] const Tensor& gradients() const { return gradients_; }  // [count]

  // Gradients lie in `memory` from now on, which holds gradients() and outlives their use.
  void move_gradients(float* memory);

  // Makes the working copies of all values; due whenever values were set, but not after an update,
  // which does it itself.
  void refresh_working(Stream& stream);

  // Sets every parameter to its initial value, a function of seed and logical place alone.
  void initialise(std::uint64_t seed, Stream& stream);

  // All layers, or those of a range.
  void forward(const Pass& pass, LayerObserver* observer = nullptr);
  void forward(const Pass& pass, Range layers, LayerObserver* observer = nullptr);
  // `gradients_ready` is called after each layer, with the number of leading floats of gradients()
  // that are final on this rank.
  void backward(const Pass& pass, const std::function<void(std::int64_t)>& gradients_ready,
                LayerObserver* observer = nullptr);
  void backward(const Pass& pass, Range layers,
                const std::function<void(std::int64_t)>& gradients_ready,
                LayerObserver* observer = nullptr);

 private:
  [[nodiscard]] Range all_layers() const { return {0, static_cast<std::int64_t>(layers_.size())}; }
  [[nodiscard]] MemoryPlan memory_plan() const;
  void plan_masks();
  void plan_activations(const Shape& input);
  void plan_gradients(std::size_t largest_bytes);  // of the activation that needs most
  void plan_parameters();
  void place_parameters();
  [[nodiscard]] std::int64_t padded(const Parameter& parameter) const;  // elements of its place

  Device& device_;
  std::vector<std::unique_ptr<Layer>> layers_;
  std::vector<std::pair<std::string, std::string>> range_names_;  // forward, backward; as layers_
  InputForm input_form_;
  std::vector<Buffer> buffers_;      // of activations and values
  Buffer gradient_memory_;           // empty after move_gradients()
  Buffer workspace_;                 // shared by all operations
  std::vector<Tensor> activations_;  // [layer count + 1]; in-place layers repeat their input
  std::vector<Tensor> activation_gradients_;  // of activations_[i + 1]; two memories in turn
  Tensor logits_gradient_;
  std::vector<Parameter*> parameters_;
  std::vector<std::int64_t> ready_after_;  // floats of gradients() final after layer i's backward
  std::unique_ptr<ConvertOp> convert_;
  Tensor values_;
  Tensor working_;
  Tensor gradients_;
};

// The initial values of rows of a logical tensor, on the host: [rows.size() x per_row].
[[nodiscard]] std::vector<float> initial_values(const Parameter& parameter, std::uint64_t seed);

}  // namespace convoy
