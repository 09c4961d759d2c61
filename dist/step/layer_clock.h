// Times a network's layers, pass by pass, and sets the work of each beside its time.
#pragma once

#include <array>
#include <cstddef>
#include <vector>

#include "core/device.h"
#include "core/net/network.h"
#include "dist/job.h"
#include "dist/step/layer_marks.h"
#include "dist/step/session.h"

namespace convoy {

// Marks in the stream around every layer's passes. Steps so observed are slower than others: on a
// GPU each mark takes time, and no graph is used. Passes of all turns of a step add up.
class LayerClock : public LayerObserver {
 public:
  LayerClock(Device& device, Stream& stream, std::size_t layers);
  void begin(std::size_t layer, bool backward) override { marks_.begin(layer, backward); }
  void end(std::size_t layer, bool backward) override { marks_.end(layer, backward); }
  // After each step, once the stream has passed it.
  void read();
  [[nodiscard]] double median_ms(std::size_t layer, bool backward) const;

 private:
  LayerMarks marks_;
  std::vector<std::array<std::vector<double>, 2>> ms_;  // of each step; forward, backward
};

// A line for each layer of the session's network, exchanges included, with the medians of the
// clock.
[[nodiscard]] std::vector<LayerTime> layer_times(Session& session, const LayerClock& clock);

}  // namespace convoy
