// The exchange layer: makes an activation that is cut by channels whole on every rank.
#pragma once

#include <memory>
#include <utility>

#include "core/device.h"
#include "core/net/layer.h"
#include "dist/communicator.h"
#include "dist/partition.h"

namespace convoy {

// Time a rank has spent waiting in collectives on the compute path since it was last taken.
class ExposedTime {
 public:
  void add(double ms) { ms_ += ms; }
  double take() { return std::exchange(ms_, 0.0); }

 private:
  double ms_ = 0;
};

// `towers` and `exposed` must outlive the layer.
[[nodiscard]] std::unique_ptr<Layer> make_exchange_layer(Device& device, const ExchangePlan& plan,
                                                         Communicator& towers,
                                                         ExposedTime& exposed);

}  // namespace convoy
