// Marks in the stream around every layer's passes: what clocks and traces of layers read.
#pragma once

#include <array>
#include <cstddef>
#include <memory>
#include <span>
#include <vector>

#include "core/device.h"
#include "core/net/network.h"

namespace convoy {

class LayerMarks : public LayerObserver {
 public:
  struct Turn {
    std::unique_ptr<Event> begin;
    std::unique_ptr<Event> end;
  };

  // Marks for so many turns of a step are made here; those of further turns when they come.
  LayerMarks(Device& device, Stream& stream, std::size_t layers, std::size_t turns = 0);
  void begin(std::size_t layer, bool backward) override;
  void end(std::size_t layer, bool backward) override;
  // Since the last reset(), in their order. To be read once the stream has passed them.
  [[nodiscard]] std::span<const Turn> turns(std::size_t layer, bool backward) const;
  void reset();
  [[nodiscard]] std::size_t layers() const { return passes_.size(); }

 private:
  struct Passes {
    std::vector<Turn> turns;  // kept from step to step
    std::size_t done = 0;     // since the last reset
  };
  void add_turn(Passes& passes);

  Device& device_;
  Stream& stream_;
  std::vector<std::array<Passes, 2>> passes_;  // forward, backward
};

}  // namespace convoy
