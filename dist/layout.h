// How an activation lies over the grid of ranks, and what each layer asks of it.
#pragma once

#include "core/net/spec.h"

namespace convoy {

// Along one axis of the grid an activation is whole on every rank, cut by images, or cut by
// channels; a gradient may also be a sum not yet made.
enum class Placement { replicated, batch, channel, partial };

// One placement per axis of the grid (strategy.h).
struct Layout {
  Placement replicas = Placement::replicated;
  Placement towers = Placement::replicated;
  friend bool operator==(const Layout&, const Layout&) = default;
};

// Along the axis of towers: what a layer's input must be, and what its output then is.
struct LayerLayout {
  Placement needs = Placement::channel;
  Placement gives = Placement::channel;
};

// A layer whose kernels read all maps needs them whole and gives its own kernels' channels; a layer
// inside a tower works on channel slices; a layer over single maps keeps what it gets (`given`).
[[nodiscard]] LayerLayout layer_layout(const LayerSpec& layer, Placement given);

}  // namespace convoy
