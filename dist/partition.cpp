// Cuts a net along the axis of towers.
#include "dist/partition.h"

#include <algorithm>
#include <stdexcept>

#include "dist/layout.h"

namespace convoy {
namespace {

// Walks the net and keeps the layout of the activation between two layers.
class Partitioner {
 public:
  Partitioner(const NetSpec& net, const Grid& grid, int tower, std::int64_t images,
              DType activations)
      : net_(net),
        towers_(static_cast<std::size_t>(grid.towers)),
        tower_(static_cast<std::size_t>(tower)),
        images_(images),
        activations_(activations) {}

  std::vector<PlannedLayer> run() {
    std::uint32_t number = 0;
    for (const LayerSpec& layer : net_.layers) {
      const LayerLayout layout = layer_layout(layer, placement_);
      provide(layout.needs, layer.in, layer.name, layout.gives);
      const Range in = channels(layer.in.c, layout.needs);
      const Range out = channels(layer.out.c, layout.gives);
      plan_.emplace_back(
          LayerPlan{&layer, {images_, in, out, number == 0, towers_of(layer, out), number}});
      if (layer.parameters() > 0) ++number;
      placement_ = layout.gives;
    }
    provide(Placement::replicated, net_.layers.back().out, "loss", Placement::replicated);
    return std::move(plan_);
  }

 private:
  // The towers whose kernels read all maps and lie in `out`; see LayerPart::towers.
  [[nodiscard]] std::vector<Range> towers_of(const LayerSpec& layer, const Range& out) const {
    const bool reads_all = layer_layout(layer, placement_).needs == Placement::replicated;
    if (!reads_all || out.size() != layer.out.c) return {{0, out.size()}};
    std::vector<Range> towers;
    const auto count = static_cast<std::size_t>(net_.towers);
    for (std::size_t i = 0; i < count; ++i) towers.push_back(channel_part(out.size(), i, count));
    return towers;
  }

  Range channels(std::int64_t count, Placement placement) const {
    if (placement != Placement::channel) return {0, count};
    return channel_part(count, tower_, towers_);
  }

  void provide(Placement needed, const Shape& activation, const std::string& before,
               Placement gives) {
    if (towers_ == 1 || needed == placement_) return;
    if (needed != Placement::replicated || placement_ != Placement::channel) {
      throw std::logic_error("no exchange leads to the layout that " + before + " needs");
    }
    ExchangePlan exchange;
    exchange.before = before;
    exchange.whole = {images_, activation.h, activation.w, activation.c};
    for (std::size_t i = 0; i < towers_; ++i) {
      exchange.parts.push_back(channel_part(activation.c, i, towers_));
    }
    exchange.own = tower_;
    exchange.gradient_is_partial = gives == Placement::channel;
    exchange.type = activations_;
    plan_.emplace_back(std::move(exchange));
  }

  const NetSpec& net_;
  std::size_t towers_;
  std::size_t tower_;
  std::int64_t images_;
  DType activations_;
  Placement placement_ = Placement::replicated;  // the images
  std::vector<PlannedLayer> plan_;
};

}  // namespace

std::int64_t ExchangePlan::slot() const {
  std::int64_t channels = 0;
  for (const Range& part : parts) channels = std::max(channels, part.size());
  return whole.n * whole.h * whole.w * channels;
}

std::int64_t ExchangePlan::forward_bytes() const {
  return slot() * static_cast<std::int64_t>(size_of(type));
}

std::int64_t ExchangePlan::backward_bytes() const {
  return gradient_is_partial ? forward_bytes() : 0;
}

Range channel_part(std::int64_t channels, std::size_t index, std::size_t parts) {
  const auto i = static_cast<std::int64_t>(index);
  const auto n = static_cast<std::int64_t>(parts);
  return {i * channels / n, (i + 1) * channels / n};
}

std::vector<PlannedLayer> partition(const NetSpec& net, const Grid& grid, int tower,
                                    std::int64_t images, DType activations) {
  return Partitioner(net, grid, tower, images, activations).run();
}

}  // namespace convoy
