// Events that are recorded again in every step.
#include "dist/step/layer_marks.h"

namespace convoy {

LayerMarks::LayerMarks(Device& device, Stream& stream, std::size_t layers, std::size_t turns)
    : device_(device), stream_(stream), passes_(layers) {
  for (auto& layer : passes_)
    for (Passes& passes : layer)
      while (passes.turns.size() < turns) add_turn(passes);
}

void LayerMarks::add_turn(Passes& passes) {
  passes.turns.push_back({device_.make_event(true), device_.make_event(true)});
}

void LayerMarks::begin(std::size_t layer, bool backward) {
  Passes& passes = passes_[layer][backward ? 1 : 0];
  if (passes.done == passes.turns.size()) add_turn(passes);
  passes.turns[passes.done].begin->record(stream_);
}

void LayerMarks::end(std::size_t layer, bool backward) {
  Passes& passes = passes_[layer][backward ? 1 : 0];
  passes.turns[passes.done++].end->record(stream_);
}

std::span<const LayerMarks::Turn> LayerMarks::turns(std::size_t layer, bool backward) const {
  const Passes& passes = passes_[layer][backward ? 1 : 0];
  return std::span(passes.turns).first(passes.done);
}

void LayerMarks::reset() {
  for (auto& layer : passes_)
    for (Passes& passes : layer) passes.done = 0;
}

}  // namespace convoy
