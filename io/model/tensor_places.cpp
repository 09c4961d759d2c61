// Derives names and layouts from the net's layers.
#include "io/model/tensor_places.h"

#include <algorithm>
#include <array>
#include <cstddef>

#include "core/error.h"
#include "io/model/inference_net.h"
#include "io/model/known_net.h"

namespace convoy {
namespace {

struct NamedNames {
  TensorNames names;
  const char* text;
};
constexpr std::array<NamedNames, 5> kNames{{{TensorNames::convoy, "convoy"},
                                            {TensorNames::torch, "torch"},
                                            {TensorNames::alexnet_pytorch, "alexnet-pytorch"},
                                            {TensorNames::torchvision, "torchvision"},
                                            {TensorNames::caffe, "caffe"}}};

// Names that PyTorch's containers give to the layers with weights, in their order.
using LayerNames = std::array<const char*, 8>;
constexpr LayerNames kAlexnetPytorch{"net.0",  "net.4",        "net.8",        "net.10",
                                     "net.12", "classifier.1", "classifier.4", "classifier.6"};
constexpr LayerNames kTorchvision{"features.0",  "features.3",   "features.6",   "features.8",
                                  "features.10", "classifier.1", "classifier.4", "classifier.6"};

std::string their_layer(TensorNames names, const std::string& ours, std::size_t index) {
  if (names == TensorNames::alexnet_pytorch) return kAlexnetPytorch.at(index);
  if (names == TensorNames::torchvision) return kTorchvision.at(index);
  return ours;
}

std::vector<std::int64_t> their_extents(const LayerSpec& layer, TensorNames names) {
  const Shape shape = layer.weight_shape();
  if (names == TensorNames::convoy) return {shape.n, shape.h, shape.w, shape.c};
  if (std::holds_alternative<FullyConnectedLayer>(layer.kind)) return {shape.n, shape.per_row()};
  return {shape.n, shape.c, shape.h, shape.w};
}

// A kernel that reads one group of colours would have to change places with one of another group,
// and so would all that is made of their maps.
void require_one_group(const LayerSpec& layer, TensorNames names, bool bgr) {
  const auto* conv = std::get_if<ConvLayer>(&layer.kind);
  if (conv == nullptr || conv->groups == 1) return;
  fail(ExitCode::usage,
       "{} reads the colours in {} groups and cannot be turned to read {} first, as nets with the "
       "names {} do; with data.bgr {} it would read so itself",
       layer.name, conv->groups, bgr ? "red" : "blue", name_of(names), !bgr);
}

// The value there for one of ours. Products of a float and a double are rounded once.
float times(float value, double factor) {
  return static_cast<float>(static_cast<double>(value) * factor);
}

// No float is nearer to theirs / factor, so if any gives exactly theirs again, this one does.
float divided(float theirs, double factor) {
  return static_cast<float>(static_cast<double>(theirs) / factor);
}

// Calls visit(ours, theirs) with the places of each value in one row.
template <typename Visit>
void for_each_in_row(const TensorPlace& place, const Visit& visit) {
  const Shape& s = place.shape;
  const std::int64_t pixels = s.h * s.w;
  for (std::int64_t c = 0; c < s.c; ++c) {
    const std::int64_t channel = place.reversed_channels ? s.c - 1 - c : c;
    for (std::int64_t pixel = 0; pixel < pixels; ++pixel) {
      const std::int64_t theirs =
          place.channels_first ? channel * pixels + pixel : pixel * s.c + channel;
      visit(static_cast<std::size_t>(pixel * s.c + c), static_cast<std::size_t>(theirs));
    }
  }
}

template <typename Convert>
void convert_rows(const TensorPlace& place, std::size_t ours, std::size_t theirs,
                  const Convert& convert) {
  const auto count = static_cast<std::size_t>(place.shape.count());
  if (ours != count || theirs != count) {
    fail(ExitCode::usage, "{} has {} values, not {} and {}", place.name, count, ours, theirs);
  }
  const auto row = static_cast<std::size_t>(place.shape.per_row());
  for (std::size_t begin = 0; begin < count; begin += row) {
    for_each_in_row(
        place, [&](std::size_t our, std::size_t their) { convert(begin + our, begin + their); });
  }
}

}  // namespace

const char* name_of(TensorNames names) {
  return std::ranges::find(kNames, names, &NamedNames::names)->text;
}

TensorNames tensor_names(const std::string& name) {
  for (const NamedNames& entry : kNames)
    if (name == entry.text) return entry.names;
  fail(ExitCode::usage, "there are no names '{}'", name);
}

std::vector<TensorPlace> tensor_places(const NetSpec& net, TensorNames names, bool bgr) {
  const bool as_ours = names == TensorNames::convoy;
  require_known_net(net, names);
  std::vector<InferenceLayer> layers;
  if (!as_ours) {
    layers = inference_layers(net);
  } else {
    for (const LayerSpec& layer : net.layers) layers.push_back({layer});
  }
  std::vector<TensorPlace> places;
  std::size_t index = 0;  // among the layers with weights
  for (const InferenceLayer& layer : layers) {
    if (!has_weights(layer.spec)) continue;
    const std::string name = their_layer(names, layer.spec.name, index);
    TensorPlace weight{layer.spec.name, "weight", layer.spec.weight_shape(), name + ".weight",
                       their_extents(layer.spec, names)};
    weight.channels_first = !as_ours;
    weight.reversed_channels = !as_ours && index == 0 && bgr != (names == TensorNames::caffe);
    if (weight.reversed_channels) require_one_group(layer.spec, names, bgr);
    weight.factor = layer.weight_factor;
    places.push_back(weight);
    const Shape bias = layer.spec.bias_shape();
    places.push_back({layer.spec.name, "bias", bias, name + ".bias", {bias.n}});
    ++index;
  }
  return places;
}

void to_theirs(const TensorPlace& place, std::span<const float> ours, std::span<float> theirs) {
  convert_rows(place, ours.size(), theirs.size(), [&](std::size_t our, std::size_t their) {
    theirs[their] = times(ours[our], place.factor);
  });
}

void to_ours(const TensorPlace& place, std::span<const float> theirs, std::span<float> ours) {
  convert_rows(place, ours.size(), theirs.size(), [&](std::size_t our, std::size_t their) {
    ours[our] = divided(theirs[their], place.factor);
  });
}

}  // namespace convoy
