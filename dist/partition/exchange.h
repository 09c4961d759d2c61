// Exchange layers: they bring an activation from one layout over the towers into another.
#pragma once

#include <memory>
#include <utility>

#include "core/device.h"
#include "core/net/layer.h"
#include "dist/comm/communicator.h"
#include "dist/partition/partition.h"

namespace convoy {

// Time a rank has spent waiting in collectives on the compute path since it was last taken.
class ExposedTime {
 public:
  void add(double ms) { ms_ += ms; }
  double take() { return std::exchange(ms_, 0.0); }

 private:
  double ms_ = 0;
};

// Whose images pass, where ranks take turns (Strategy::turns): first rank 0's, last the last one's.
struct Turn {
  int now = 0;
};

// `towers`, `turn` and `exposed` must outlive the layer. In a forward pass turns follow each other
// from the first to the last; backward passes may lie in between.
[[nodiscard]] std::unique_ptr<Layer> make_exchange_layer(Device& device, const ExchangePlan& plan,
                                                         Communicator& towers, const Turn& turn,
                                                         ExposedTime& exposed);

}  // namespace convoy
