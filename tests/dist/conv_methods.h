// A value of device.conv that asks for minimal filtering of every layer that it can do.
#pragma once

#include <string>
#include <variant>

#include "core/net/weighted_layers.h"

namespace convoy {

inline std::string minimal_where_possible(const NetSpec& net) {
  std::string text;
  for (const LayerSpec& layer : net.layers) {
    const auto* conv = std::get_if<ConvLayer>(&layer.kind);
    if (conv == nullptr) continue;
    LayerPart whole;
    whole.images = 1;
    whole.in = {0, layer.in.c};
    whole.out = {0, layer.out.c};
    whole.first = text.empty();
    const bool fits = minimal_fits(conv_spec(layer, *conv, whole));
    text += (text.empty() ? "" : ",") + layer.name + (fits ? ":minimal" : ":direct");
  }
  return text;
}

}  // namespace convoy
