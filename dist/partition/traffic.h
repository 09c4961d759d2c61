// What a training step moves between ranks, predicted from the plan: `convoy inspect` prints it and
// the communicator's counters confirm it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/net/spec.h"
#include "dist/partition/strategy.h"

namespace convoy {

// One kind of collective of a step, as one rank sees it. The payload is what a rank contributes to
// an all-gather or as the root of a broadcast, receives from a reduce-scatter or as the root of a
// reduce, or reduces in an all-reduce. Wire bytes are what the rank sends by the cheapest known
// algorithm: 2 (n-1)/n payload for an all-reduce over n ranks, else (n-1) payload (where ranks are
// the root in turns, on average over them).
struct TrafficLine {
  std::string place;       // "before conv3", "gradients", ...
  std::string collective;  // all-gather, reduce-scatter, broadcast, reduce, all-reduce
  bool backward = false;
  std::int64_t payload_bytes = 0;
  std::int64_t wire_bytes = 0;
};

[[nodiscard]] std::vector<TrafficLine> predict_traffic(const NetSpec& net, const Strategy& strategy,
                                                       std::int64_t global_batch,
                                                       DType activations = DType::f32);

}  // namespace convoy
