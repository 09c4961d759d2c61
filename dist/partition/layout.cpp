// The layouts of AlexNet's layers.
#include "dist/partition/layout.h"

namespace convoy {

bool reads_all_maps(const LayerSpec& layer) {
  if (const auto* conv = std::get_if<ConvLayer>(&layer.kind)) return conv->groups == 1;
  return std::holds_alternative<FullyConnectedLayer>(layer.kind);
}

LayerLayout layer_layout(const LayerSpec& layer, Placement given) {
  const bool fully_connected = std::holds_alternative<FullyConnectedLayer>(layer.kind);
  if (given == Placement::batch && !fully_connected) return {given, given};
  if (fully_connected || std::holds_alternative<ConvLayer>(layer.kind)) {
    return {reads_all_maps(layer) ? Placement::replicated : Placement::channel, Placement::channel};
  }
  if (const auto* norm = std::get_if<LrnLayer>(&layer.kind); norm != nullptr && norm->groups == 1) {
    return {Placement::replicated, Placement::replicated};
  }
  return {given, given};
}

}  // namespace convoy
