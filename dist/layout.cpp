// The layouts of AlexNet's layers.
#include "dist/layout.h"

namespace convoy {

LayerLayout layer_layout(const LayerSpec& layer, Placement given) {
  if (const auto* conv = std::get_if<ConvLayer>(&layer.kind)) {
    return {conv->groups == 1 ? Placement::replicated : Placement::channel, Placement::channel};
  }
  if (std::holds_alternative<FullyConnectedLayer>(layer.kind)) {
    return {Placement::replicated, Placement::channel};
  }
  if (const auto* norm = std::get_if<LrnLayer>(&layer.kind); norm != nullptr && norm->groups == 1) {
    return {Placement::replicated, Placement::replicated};
  }
  return {given, given};
}

}  // namespace convoy
