// The logical net: what is computed, with no word about ranks or devices.
#pragma once

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "core/options.h"
#include "core/tensor.h"

namespace convoy {

struct Initialisation {
  double spread = 0.01;  // standard deviation of normal weights, bound of uniform ones
  double bias = 0;       // of every bias where weights are normal
  bool uniform = false;  // weights and biases uniform in +-spread

  bool operator==(const Initialisation&) const = default;
};

// groups = 1: each kernel reads all channels; groups = towers: those of its own tower; any other
// number that divides channels and kernels: those of its own group.
struct ConvLayer {
  std::int64_t kernels = 0;
  std::int64_t kernel = 0;
  std::int64_t stride = 1;
  std::int64_t pad_begin = 0;
  std::int64_t pad_end = 0;
  std::int64_t groups = 1;
  bool relu = true;
  Initialisation init{};

  bool operator==(const ConvLayer&) const = default;
};
struct FullyConnectedLayer {
  std::int64_t neurons = 0;
  bool relu = true;
  Initialisation init{};

  bool operator==(const FullyConnectedLayer&) const = default;
};
struct LrnLayer {
  std::int64_t size = 5;
  double alpha = 1e-4;  // factor of the window's sum
  double beta = 0.75;
  double k = 2;
  std::int64_t groups = 1;  // the window stays inside a group of maps: towers, or 1 for all maps

  bool operator==(const LrnLayer&) const = default;
};
struct SpatialNormLayer {
  std::int64_t size = 5;
  double alpha = 4e-5;  // factor of the window's sum
  double beta = 0.75;
  double k = 1;

  bool operator==(const SpatialNormLayer&) const = default;
};
struct PoolLayer {
  std::int64_t kernel = 3;
  std::int64_t stride = 2;
  bool round_up = true;

  bool operator==(const PoolLayer&) const = default;
};
struct ReluLayer {
  bool operator==(const ReluLayer&) const = default;
};
struct DropoutLayer {
  double drop = 0.5;
  double train_scale = 1;
  double test_scale = 0.5;
  std::uint32_t number = 0;  // tells dropout layers apart in their random numbers

  bool operator==(const DropoutLayer&) const = default;
};

struct LayerSpec {
  std::string name;
  std::variant<ConvLayer, FullyConnectedLayer, LrnLayer, SpatialNormLayer, PoolLayer, ReluLayer,
               DropoutLayer>
      kind;
  Shape in;   // logical, n = 1
  Shape out;  // logical, n = 1

  // Values of the weights and of the biases; 0 for layers without.
  [[nodiscard]] Shape weight_shape() const;  // [K, R, S, C/groups] or [out, H, W, C]; n = 0: none
  [[nodiscard]] Shape bias_shape() const;    // [K, 1, 1, 1]; n = 0: none
  [[nodiscard]] std::int64_t parameters() const;
  // Outputs that count as neurons (paper, section 3.5): those of conv and fully connected layers.
  [[nodiscard]] std::int64_t neurons() const;
  // Multiply-adds of a forward pass for one image (padding counted); conv and fully connected.
  [[nodiscard]] std::int64_t multiply_adds() const;
  [[nodiscard]] std::string description() const;  // "conv 96 11x11 stride 4, ReLU"

  bool operator==(const LayerSpec&) const = default;
};

struct NetSpec {
  Shape input{};  // [1, H, W, 3]
  std::int64_t towers = 1;
  std::int64_t classes = 0;
  std::vector<LayerSpec> layers{};

  [[nodiscard]] std::int64_t parameters() const;
  [[nodiscard]] std::int64_t neurons() const;
  [[nodiscard]] std::int64_t multiply_adds() const;

  bool operator==(const NetSpec&) const = default;
};

// AlexNet as the options say. Kernel and neuron counts are `width` times the full ones, rounded to
// a multiple of 8 per tower (at least 8 per tower). Throws Error(usage) with one sentence where the
// options contradict each other or the input is too small, saying which input would do.
[[nodiscard]] NetSpec build_alexnet(const ModelOptions& options);

// The net that the options describe (description.h), else AlexNet. Throws as either does.
[[nodiscard]] NetSpec build_net(const ModelOptions& options);

}  // namespace convoy
