// Sizes, names and initial weights of described layers.
#include "core/net/description_limits.h"

#include <algorithm>
#include <array>
#include <cmath>

namespace convoy {
namespace {

constexpr double kMostMultiplyAdds = 1e12;  // of an image; VGG-19 has 2e10
constexpr double kMostParameters = 1e10;

// Inputs of one output of a layer with weights; else 0.
double inputs_of(const LayerSpec& layer) {
  const auto maps = static_cast<double>(layer.in.c);
  if (const auto* conv = std::get_if<ConvLayer>(&layer.kind))
    return static_cast<double>(conv->kernel * conv->kernel) * maps /
           static_cast<double>(conv->groups);
  if (std::holds_alternative<FullyConnectedLayer>(layer.kind))
    return static_cast<double>(layer.in.h * layer.in.w) * maps;
  return 0;
}

}  // namespace

Initialisation DescribedWeights::of(std::int64_t inputs, const StatementReader& statement) const {
  const auto count = static_cast<double>(inputs);
  if (uniform && (spread || bias))
    statement.refuse(
        "'uniform' says how weights and biases begin, so 'std' and 'bias' must be left out");
  if (uniform) return {1 / std::sqrt(count), 0, true};
  return {he ? std::sqrt(2 / count) : spread.value_or(0.01), bias.value_or(0), false};
}

void NetSize::add(const LayerSpec& layer, const StatementReader& statement) {
  const double inputs = inputs_of(layer);
  const auto pixels = static_cast<double>(layer.out.h * layer.out.w);
  const auto channels = static_cast<double>(layer.out.c);
  parameters_ += inputs * channels;
  multiply_adds_ += (inputs + 1) * channels * pixels;
  if (layer.out.h > kMostPixels || multiply_adds_ > kMostMultiplyAdds ||
      parameters_ > kMostParameters)
    statement.refuse(
        "the net grows beyond all devices ({:.1e} multiply-adds an image, {:.1e} parameters, maps "
        "of {}x{}); check the numbers",
        multiply_adds_, parameters_, layer.out.h, layer.out.w);
}

void require_outputs(const LayerSpec& layer, const NetSpec& net, const StatementReader& statement) {
  if (layer.out.c >= net.towers) return;
  statement.refuse(
      "the outputs of {}, of which there are {}, cannot be split over {} towers; use at least {}, "
      "or 'towers {}'",
      layer.name, layer.out.c, net.towers, net.towers, layer.out.c);
}

void require_free(const std::string& name, const NetSpec& net, const StatementReader& statement) {
  if (std::ranges::find(net.layers, name, &LayerSpec::name) != net.layers.end())
    statement.refuse("two layers are called {}; give one of them another 'name NAME'", name);
  constexpr std::array<std::string_view, 3> kTaken{"input", "loss", "logits"};
  if (std::ranges::find(kTaken, name) != kTaken.end() || name.starts_with("exchange"))
    statement.refuse("{} is the name of another part of a step; give the layer another name", name);
}

}  // namespace convoy
