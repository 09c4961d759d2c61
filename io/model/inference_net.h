// What a net computes once it is trained: the form in which its layers leave for other programs.
#pragma once

#include <vector>

#include "core/net/spec.h"

namespace convoy {

struct InferenceLayer {
  LayerSpec spec;
  // Dropout that was not scaled in training halves what it passes on when the net is used (a drop
  // of 0.5). Other programs scale in training instead, so there the weights of the layer that reads
  // it, never its biases, are multiplied by this.
  double weight_factor = 1;
};

// The net's layers in their order, without dropout and without response normalisation that leaves
// values as they are (alpha 0, k 1). Throws Error(usage), naming the layers, where dropout's scale
// cannot pass into weights because a normalisation lies between.
[[nodiscard]] std::vector<InferenceLayer> inference_layers(const NetSpec& net);

// The same layers with dropout where it stands, for programs that may train the net further.
[[nodiscard]] std::vector<LayerSpec> layers_with_dropout(const NetSpec& net);

// A layer with weights: a convolution or a fully connected one.
[[nodiscard]] inline bool has_weights(const LayerSpec& layer) { return layer.weight_shape().n > 0; }

}  // namespace convoy
