// One rank's share of a net: its part of every layer, and an exchange wherever the layout that a
// layer gives is not the one that the next layer needs.
#pragma once

#include <string>
#include <variant>
#include <vector>

#include "core/net/layer.h"
#include "core/net/spec.h"
#include "dist/partition/layout.h"
#include "dist/partition/strategy.h"

namespace convoy {

// What leads from one layout along the axis of towers to another.
//
// channel -> replicated: every rank gets all channels. Backward, the gradient of the whole is
// `partial` where each rank's own kernels read it (a sum over ranks is due, reduce-scatter) and
// replicated where all ranks compute the same (take the own slice).
//
// batch -> replicated: every rank gets all images, for kernels of its own, so that the gradient is
// partial. In turns (Strategy::turns) the whole is one rank's images at a time: a broadcast, and
// backward a sum that goes to that rank.
//
// replicated -> batch: every rank goes on with its own images and nothing moves; backward their
// gradients are made whole again.
struct ExchangePlan {
  std::string before;  // name of the layer that reads what comes out; "loss" for the logits
  Placement from = Placement::channel;
  Placement to = Placement::replicated;
  Shape whole;               // of the replicated side: its images, all channels
  std::vector<Range> parts;  // of each rank of the axis: channels, or places of images
  std::size_t own = 0;       // this rank's part
  bool gradient_is_partial = true;
  bool turns = false;
  DType type = DType::f32;  // of activations

  // The most values that a rank has of the whole, for which a slot has room.
  [[nodiscard]] std::int64_t slot() const;
  // Payload of one rank in a step (traffic.h), in bytes.
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

// `activations`: their type.
[[nodiscard]] std::vector<PlannedLayer> partition(const NetSpec& net, const Strategy& strategy,
                                                  int rank, std::int64_t global_batch,
                                                  DType activations = DType::f32);

}  // namespace convoy
