// What one rank does in a step, layer by layer and exchange by exchange, without running anything.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/net/spec.h"
#include "dist/partition/strategy.h"

namespace convoy {

struct StepPart {
  std::string layer;  // the layer, or the one before which an exchange stands; "logits"
  const LayerSpec* spec = nullptr;  // of the net that was given; null: an exchange
  // Of a layer:
  std::int64_t images = 0;
  double share = 1;             // of the layer's output channels
  std::int64_t parameters = 0;  // of this rank
  bool copied = false;          // other ranks hold the same parameters: their gradients are summed
  // Payload of an exchange (traffic.h), in bytes:
  std::int64_t forward_bytes = 0;
  std::int64_t backward_bytes = 0;
  // Values that the part gives and backward reads.
  std::int64_t output_values = 0;
};

// Of rank 0, in the order of forward.
[[nodiscard]] std::vector<StepPart> step_parts(const NetSpec& net, const Strategy& strategy,
                                               std::int64_t global_batch,
                                               DType activations = DType::f32);

}  // namespace convoy
