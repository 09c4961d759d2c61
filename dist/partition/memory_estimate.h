// How much memory a rank needs for training, before anything is allocated.
#pragma once

#include <cstdint>

#include "core/net/spec.h"
#include "dist/partition/strategy.h"

namespace convoy {

// Bytes for this share of the net: parameters with their momentum and gradients, the activations
// that backward reads, the gradients that pass between layers, and one batch of images. Workspace
// of the operations comes on top.
[[nodiscard]] std::int64_t estimate_memory(const NetSpec& net, const Strategy& strategy,
                                           std::int64_t global_batch,
                                           DType activations = DType::f32);

}  // namespace convoy
