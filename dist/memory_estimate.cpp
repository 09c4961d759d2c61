// Adds up the tensors of a partition.
#include "dist/memory_estimate.h"

#include <algorithm>

#include "dist/partition.h"

namespace convoy {

std::int64_t estimate_memory(const NetSpec& net, const Strategy& strategy,
                             std::int64_t global_batch, DType activations) {
  const Grid& grid = strategy.grid;
  const std::int64_t images = global_batch / grid.replicas;
  const auto value = static_cast<std::int64_t>(size_of(activations));
  constexpr std::int64_t kParameterFloats = 3;                    // value, momentum, gradient
  constexpr std::int64_t kGradientBuffers = 2;                    // that layers use in turn
  std::int64_t bytes = images * net.input.count() * (value + 1);  // as input, and as crops
  std::int64_t largest = 0;
  for (const PlannedLayer& planned : partition(net, grid, 0, images, activations)) {
    std::int64_t output = 0;
    if (const auto* exchange = std::get_if<ExchangePlan>(&planned)) {
      output = exchange->whole.count();
    } else {
      const LayerPlan& layer = std::get<LayerPlan>(planned);
      output = layer.part.images * layer.spec->out.h * layer.spec->out.w * layer.part.out.size();
      if (layer.spec->parameters() > 0) {
        const std::int64_t parameters =
            (layer.spec->weight_shape().per_row() + 1) * layer.part.out.size();
        bytes += parameters * kParameterFloats * static_cast<std::int64_t>(sizeof(float));
        if (activations != DType::f32) bytes += parameters * value;  // the working copy
      }
    }
    largest = std::max(largest, output);
    bytes += output * value;
  }
  return bytes + kGradientBuffers * largest * value;
}

}  // namespace convoy
