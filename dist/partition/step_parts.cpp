// Reads the partition.
#include "dist/partition/step_parts.h"

#include "dist/partition/partition.h"

namespace convoy {

std::vector<StepPart> step_parts(const NetSpec& net, const Strategy& strategy,
                                 std::int64_t global_batch, DType activations) {
  std::vector<StepPart> parts;
  for (const PlannedLayer& planned : partition(net, strategy, 0, global_batch, activations)) {
    StepPart part;
    if (const auto* exchange = std::get_if<ExchangePlan>(&planned)) {
      part.layer = exchange->before == "loss" ? "logits" : exchange->before;
      part.forward_bytes = exchange->forward_bytes();
      part.backward_bytes = exchange->backward_bytes();
      part.output_values = exchange->whole.count();
    } else {
      const LayerPlan& layer = std::get<LayerPlan>(planned);
      const LayerSpec& spec = *layer.spec;
      part.layer = spec.name;
      part.spec = &spec;
      part.images = layer.part.images;
      part.share = static_cast<double>(layer.part.out.size()) / static_cast<double>(spec.out.c);
      if (spec.parameters() > 0)
        part.parameters = (spec.weight_shape().per_row() + 1) * layer.part.out.size();
      part.copied = layer.part.sharing.copies > 1;
      part.output_values = part.images * spec.out.h * spec.out.w * layer.part.out.size();
    }
    parts.push_back(std::move(part));
  }
  return parts;
}

}  // namespace convoy
