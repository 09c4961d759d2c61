// One rank's share of a net: its part of every layer, and an exchange wherever the layout that a
// layer gives is not the one that the next layer needs.
#pragma once

#include <string>
#include <variant>
#include <vector>

#include "core/net/layer.h"
#include "core/net/spec.h"
#include "dist/strategy.h"

namespace convoy {

// channel -> replicated along the axis of towers: every rank gets all channels. Backward, the
// gradient of the whole is `partial` where each rank's own kernels read it (a sum over ranks is
// due, reduce-scatter) and replicated where all ranks compute the same (the loss: take the own
// slice).
struct ExchangePlan {
  std::string before;        // name of the layer that reads the whole; "loss" for the logits
  Shape whole;               // local images, all channels
  std::vector<Range> parts;  // channels of each rank of the axis
  std::size_t own = 0;       // this rank's part
  bool gradient_is_partial = true;
  DType type = DType::f32;  // of activations

  // Values of the largest part, for which a slot has room.
  [[nodiscard]] std::int64_t slot() const;
  // Payload of one rank (traffic.h), in bytes: a slot.
  [[nodiscard]] std::int64_t forward_bytes() const;
  [[nodiscard]] std::int64_t backward_bytes() const;
};

struct LayerPlan {
  const LayerSpec* spec = nullptr;  // of the NetSpec that was partitioned, which must outlive this
  LayerPart part;
};

using PlannedLayer = std::variant<LayerPlan, ExchangePlan>;

// The share of channels of part `index` of `parts`: [index C / parts, (index + 1) C / parts).
[[nodiscard]] Range channel_part(std::int64_t channels, std::size_t index, std::size_t parts);

// `images` is the batch of one replica, `tower` this rank's place on the axis of towers,
// `activations` their type.
[[nodiscard]] std::vector<PlannedLayer> partition(const NetSpec& net, const Grid& grid, int tower,
                                                  std::int64_t images,
                                                  DType activations = DType::f32);

}  // namespace convoy
