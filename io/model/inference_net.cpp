// Walks a net from its input to its logits and carries dropout's scale along.
#include "io/model/inference_net.h"

#include "core/error.h"

namespace convoy {
namespace {

constexpr const char* kInstead =
    "train with model.drop-inverted (in a net's description: dropout X inverted)";

// Scaling what such a layer reads is not scaling what it gives.
bool is_normalisation(const LayerSpec& layer) {
  return std::holds_alternative<LrnLayer>(layer.kind) ||
         std::holds_alternative<SpatialNormLayer>(layer.kind);
}

bool changes_nothing(const LayerSpec& layer) {
  const auto* norm = std::get_if<LrnLayer>(&layer.kind);
  return norm != nullptr && norm->alpha == 0 && norm->k == 1;
}

}  // namespace

std::vector<InferenceLayer> inference_layers(const NetSpec& net) {
  std::vector<InferenceLayer> layers;
  double scale = 1;
  std::string dropout;  // the last one, while its scale is on its way
  for (const LayerSpec& layer : net.layers) {
    if (const auto* drop = std::get_if<DropoutLayer>(&layer.kind)) {
      scale *= drop->test_scale;
      if (scale != 1) dropout = layer.name;
      continue;
    }
    if (changes_nothing(layer)) continue;
    if (is_normalisation(layer) && !dropout.empty()) {
      fail(ExitCode::usage,
           "the scale of {} cannot become part of weights, because {} stands before the next layer "
           "with weights; {}",
           dropout, layer.name, kInstead);
    }
    layers.push_back({layer, has_weights(layer) ? scale : 1});
    if (!has_weights(layer)) continue;
    scale = 1;
    dropout.clear();
  }
  if (!dropout.empty()) {
    fail(ExitCode::usage,
         "the scale of {} cannot become part of weights, because no layer with weights follows it; "
         "{}",
         dropout, kInstead);
  }
  return layers;
}

std::vector<LayerSpec> layers_with_dropout(const NetSpec& net) {
  static_cast<void>(inference_layers(net));  // refuses what cannot be expressed
  std::vector<LayerSpec> layers;
  for (const LayerSpec& layer : net.layers)
    if (!changes_nothing(layer)) layers.push_back(layer);
  return layers;
}

}  // namespace convoy
