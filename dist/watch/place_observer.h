// Writes the layer that a pass is in to the rank's record.
#pragma once

#include "core/net/network.h"
#include "dist/watch/collective_record.h"

namespace convoy {

class PlaceObserver : public LayerObserver {
 public:
  // Passes on to `next`, unless that is null. Both must outlive it.
  PlaceObserver(CollectiveRecord& record, Phase forward, LayerObserver* next = nullptr)
      : record_(record), forward_(forward), next_(next) {}
  void begin(std::size_t layer, bool backward) override {
    record_.set_place(backward ? Phase::backward : forward_, layer);
    if (next_ != nullptr) next_->begin(layer, backward);
  }
  void end(std::size_t layer, bool backward) override {
    if (next_ != nullptr) next_->end(layer, backward);
  }

 private:
  CollectiveRecord& record_;
  Phase forward_;
  LayerObserver* next_;
};

}  // namespace convoy
