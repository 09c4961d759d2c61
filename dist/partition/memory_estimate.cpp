// Adds up the tensors of a partition.
#include "dist/partition/memory_estimate.h"

#include <algorithm>

#include "dist/partition/step_parts.h"

namespace convoy {

std::int64_t estimate_memory(const NetSpec& net, const Strategy& strategy,
                             std::int64_t global_batch, DType activations) {
  const auto value = static_cast<std::int64_t>(size_of(activations));
  constexpr std::int64_t kParameterFloats = 3;  // value, momentum, gradient
  constexpr std::int64_t kGradientBuffers = 2;  // that layers use in turn
  const std::vector<StepPart> parts = step_parts(net, strategy, global_batch, activations);
  // As input, and as crops.
  std::int64_t bytes = parts.front().images * net.input.count() * (value + 1);
  std::int64_t largest = 0;
  for (const StepPart& part : parts) {
    bytes += part.parameters * kParameterFloats * static_cast<std::int64_t>(sizeof(float));
    if (activations != DType::f32) bytes += part.parameters * value;  // the working copy
    bytes += part.output_values * value;
    largest = std::max(largest, part.output_values);
  }
  return bytes + kGradientBuffers * largest * value;
}

}  // namespace convoy
