// Times a network's layers, pass by pass, and sets the work of each beside its time.
#pragma once

#include <array>
#include <cstddef>
#include <memory>
#include <vector>

#include "core/device.h"
#include "core/net/network.h"
#include "dist/job.h"
#include "dist/step/session.h"

namespace convoy {

// Marks in the stream around every layer's passes. Steps so observed are slower than others: on a
// GPU each mark takes time, and no graph is used. Passes of all turns of a step add up.
class LayerClock : public LayerObserver {
 public:
  LayerClock(Device& device, Stream& stream, std::size_t layers);
  void begin(std::size_t layer, bool backward) override;
  void end(std::size_t layer, bool backward) override;
  // After each step, once the stream has passed it.
  void read();
  [[nodiscard]] double median_ms(std::size_t layer, bool backward) const;

 private:
  struct Marks {
    std::unique_ptr<Event> begin;
    std::unique_ptr<Event> end;
  };
  struct Passes {
    std::vector<Marks> marks;  // of each turn of a step
    std::size_t done = 0;      // turns of this step
    std::vector<double> ms;    // of each step
  };
  Passes& at(std::size_t layer, bool backward) { return passes_[layer][backward ? 1 : 0]; }

  Device& device_;
  Stream& stream_;
  std::vector<std::array<Passes, 2>> passes_;  // forward, backward
};

// A line for each layer of the session's network, exchanges included, with the medians of the
// clock.
[[nodiscard]] std::vector<LayerTime> layer_times(Session& session, const LayerClock& clock);

}  // namespace convoy
