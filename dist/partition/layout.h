// How an activation lies over the towers of the grid, and what each layer asks of it.
#pragma once

#include "core/net/spec.h"

namespace convoy {

// Along the axis of towers an activation is whole on every rank, cut by channels, or cut by images.
// (Along an axis of replicas beside it every activation is cut by images.)
enum class Placement { replicated, channel, batch };

// What a layer's input must be, and what its output then is.
struct LayerLayout {
  Placement needs = Placement::channel;
  Placement gives = Placement::channel;
};

// The layer's kernels read all maps, not only those of their own tower.
[[nodiscard]] bool reads_all_maps(const LayerSpec& layer);

// A layer whose kernels read all maps needs them whole and gives its own kernels' channels; a layer
// inside a tower works on channel slices; a layer over single maps keeps what it gets (`given`).
// Where images are cut every layer but the fully connected ones works on its images.
[[nodiscard]] LayerLayout layer_layout(const LayerSpec& layer, Placement given);

}  // namespace convoy
