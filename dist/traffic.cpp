// Adds up a step's collectives from the partition, without running anything.
#include "dist/traffic.h"

#include "dist/partition.h"

namespace convoy {

std::vector<TrafficLine> predict_traffic(const NetSpec& net, const Strategy& strategy,
                                         std::int64_t global_batch, DType activations) {
  const Grid& grid = strategy.grid;
  const std::int64_t images = global_batch / grid.replicas;
  const auto plan = partition(net, grid, 0, images, activations);

  std::vector<TrafficLine> lines;
  std::int64_t parameters = 0;  // of this rank
  for (const PlannedLayer& planned : plan) {
    if (const auto* exchange = std::get_if<ExchangePlan>(&planned)) {
      const std::string place =
          exchange->before == "loss" ? "logits" : "before " + exchange->before;
      const std::int64_t forward = exchange->forward_bytes();
      const std::int64_t backward = exchange->backward_bytes();
      const std::int64_t others = grid.towers - 1;
      lines.push_back({place, "all-gather", false, forward, others * forward});
      if (backward > 0) {
        lines.push_back({place, "reduce-scatter", true, backward, others * backward});
      }
    } else {
      const LayerPlan& layer = std::get<LayerPlan>(planned);
      if (layer.spec->parameters() > 0) {
        parameters += (layer.spec->weight_shape().per_row() + 1) * layer.part.out.size();
      }
    }
  }
  if (grid.replicas > 1) {
    const std::int64_t bytes = parameters * static_cast<std::int64_t>(sizeof(float));
    lines.push_back(
        {"gradients", "all-reduce", true, bytes, 2 * bytes * (grid.replicas - 1) / grid.replicas});
  }
  return lines;
}

}  // namespace convoy
