// Cuts a net along the axis of towers.
#include "dist/partition/partition.h"

#include <algorithm>
#include <stdexcept>

namespace convoy {
namespace {

// Walks the net and keeps the layout of the activation between two layers.
class Partitioner {
 public:
  Partitioner(const NetSpec& net, const Strategy& strategy, int rank, std::int64_t global_batch,
              DType activations)
      : net_(net),
        grid_(strategy.grid),
        turns_(strategy.turns),
        towers_(static_cast<std::size_t>(grid_.towers)),
        tower_(static_cast<std::size_t>(grid_.tower(rank))),
        slice_(global_batch / grid_.replicas),
        whole_(grid_.one_axis && !turns_ ? global_batch : slice_),
        activations_(activations),
        images_(grid_.one_axis ? Placement::batch : Placement::replicated),
        placement_(images_) {}

  std::vector<PlannedLayer> run() {
    std::uint32_t number = 0;
    for (const LayerSpec& layer : net_.layers) {
      const LayerLayout layout = layer_layout(layer, placement_);
      provide(layout.needs, layer.in, layer.name, layout.gives == Placement::channel);
      LayerPart part;
      part.images = layout.needs == Placement::batch ? slice_ : whole_;
      part.in = channels(layer.in.c, layout.needs);
      part.out = channels(layer.out.c, layout.gives);
      part.first = number == 0;
      part.towers = towers_of(layer, part.out);
      part.number = number;
      part.sharing.shares = layout.gives == Placement::channel ? grid_.towers : 1;
      part.sharing.copies = grid_.ranks() / part.sharing.shares;
      plan_.emplace_back(LayerPlan{&layer, part});
      if (layer.parameters() > 0) ++number;
      placement_ = layout.gives;
    }
    // The loss is of the images that the rank began with.
    provide(images_, net_.layers.back().out, "loss", false);
    return std::move(plan_);
  }

 private:
  // The towers whose kernels read all maps and lie in `out`; see LayerPart::towers.
  [[nodiscard]] std::vector<Range> towers_of(const LayerSpec& layer, const Range& out) const {
    if (!reads_all_maps(layer) || out.size() != layer.out.c) return {{0, out.size()}};
    std::vector<Range> towers;
    const auto count = static_cast<std::size_t>(net_.towers);
    for (std::size_t i = 0; i < count; ++i) towers.push_back(channel_part(out.size(), i, count));
    return towers;
  }

  Range channels(std::int64_t count, Placement placement) const {
    if (placement != Placement::channel) return {0, count};
    return channel_part(count, tower_, towers_);
  }

  // Makes the activation whole where it is cut in another way than `needed`, and cuts it anew.
  // `own_kernels`: each rank's own kernels read it.
  void provide(Placement needed, const Shape& activation, const std::string& before,
               bool own_kernels) {
    if (towers_ > 1 && placement_ != needed && placement_ != Placement::replicated)
      exchange(Placement::replicated, activation, before, own_kernels);
    if (towers_ > 1 && placement_ != needed) exchange(needed, activation, before, own_kernels);
    placement_ = needed;
  }

  void exchange(Placement to, const Shape& activation, const std::string& before,
                bool own_kernels) {
    if (to == Placement::channel)
      throw std::logic_error("no exchange leads to the layout that " + before + " needs");
    ExchangePlan exchange;
    exchange.before = before;
    exchange.from = placement_;
    exchange.to = to;
    exchange.whole = {whole_, activation.h, activation.w, activation.c};
    const bool by_channels = placement_ == Placement::channel;
    for (std::size_t i = 0; i < towers_; ++i) {
      const auto first = static_cast<std::int64_t>(i) * slice_;
      exchange.parts.push_back(by_channels ? channel_part(activation.c, i, towers_)
                                           : Range{first, first + slice_});
    }
    exchange.own = tower_;
    exchange.gradient_is_partial = own_kernels;
    exchange.turns = turns_;
    exchange.type = activations_;
    plan_.emplace_back(std::move(exchange));
    placement_ = to;
  }

  const NetSpec& net_;
  Grid grid_;
  bool turns_;
  std::size_t towers_;
  std::size_t tower_;
  std::int64_t slice_;  // images of a replica
  std::int64_t whole_;  // images of an activation that is not cut by images along this axis
  DType activations_;
  Placement images_;     // how the net's input lies
  Placement placement_;  // how the activation lies that was made last
  std::vector<PlannedLayer> plan_;
};

}  // namespace

std::int64_t ExchangePlan::slot() const {
  std::int64_t most = 0;
  for (const Range& part : parts) most = std::max(most, part.size());
  return from == Placement::channel ? whole.n * whole.h * whole.w * most : most * whole.per_row();
}

// In turns a rank gives its channels of every rank's images, but its own images once.
std::int64_t ExchangePlan::forward_bytes() const {
  if (from == Placement::replicated) return 0;
  const bool repeated = turns && from == Placement::channel;
  return slot() * static_cast<std::int64_t>(size_of(type) * (repeated ? parts.size() : 1));
}

std::int64_t ExchangePlan::backward_bytes() const {
  if (from == Placement::replicated) return slot() * static_cast<std::int64_t>(size_of(type));
  return gradient_is_partial ? forward_bytes() : 0;
}

Range channel_part(std::int64_t channels, std::size_t index, std::size_t parts) {
  const auto i = static_cast<std::int64_t>(index);
  const auto n = static_cast<std::int64_t>(parts);
  return {i * channels / n, (i + 1) * channels / n};
}

std::vector<PlannedLayer> partition(const NetSpec& net, const Strategy& strategy, int rank,
                                    std::int64_t global_batch, DType activations) {
  return Partitioner(net, strategy, rank, global_batch, activations).run();
}

}  // namespace convoy
