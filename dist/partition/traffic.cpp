// Adds up a step's collectives from the partition, without running anything.
#include "dist/partition/traffic.h"

#include "dist/partition/partition.h"

namespace convoy {

namespace {

std::string collective_of(const ExchangePlan& exchange, bool backward) {
  const bool one_at_a_time = exchange.turns && exchange.from != Placement::channel;
  // Backward of what cuts by images gathers them, as forward of what makes them whole does.
  if (!backward || exchange.from == Placement::replicated)
    return one_at_a_time ? "broadcast" : "all-gather";
  return one_at_a_time ? "reduce" : "reduce-scatter";
}

}  // namespace

std::vector<TrafficLine> predict_traffic(const NetSpec& net, const Strategy& strategy,
                                         std::int64_t global_batch, DType activations) {
  std::vector<TrafficLine> lines;
  std::int64_t parameters = 0;  // of which other ranks have copies
  std::int64_t copies = 1;
  for (const PlannedLayer& planned : partition(net, strategy, 0, global_batch, activations)) {
    if (const auto* exchange = std::get_if<ExchangePlan>(&planned)) {
      const std::int64_t others = strategy.grid.towers - 1;
      for (const bool backward : {false, true}) {
        const std::int64_t bytes =
            backward ? exchange->backward_bytes() : exchange->forward_bytes();
        if (bytes == 0) continue;
        lines.push_back({exchange->before == "loss" ? "logits" : "before " + exchange->before,
                         collective_of(*exchange, backward), backward, bytes, others * bytes});
      }
    } else {
      const LayerPlan& layer = std::get<LayerPlan>(planned);
      if (layer.spec->parameters() == 0 || layer.part.sharing.copies == 1) continue;
      parameters += (layer.spec->weight_shape().per_row() + 1) * layer.part.out.size();
      copies = layer.part.sharing.copies;
    }
  }
  if (copies > 1) {
    const std::int64_t bytes = parameters * static_cast<std::int64_t>(sizeof(float));
    lines.push_back({"gradients", "all-reduce", true, bytes, 2 * bytes * (copies - 1) / copies});
  }
  return lines;
}

}  // namespace convoy
