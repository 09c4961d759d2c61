// Medians over the observed steps.
#include "dist/layer_clock.h"

#include "dist/spread.h"

namespace convoy {

LayerClock::LayerClock(Device& device, Stream& stream, std::size_t layers)
    : stream_(stream), passes_(layers) {
  for (auto& layer : passes_)
    for (Marks& pass : layer) pass = {device.make_event(true), device.make_event(true), {}};
}

void LayerClock::begin(std::size_t layer, bool backward) {
  at(layer, backward).begin->record(stream_);
}

void LayerClock::end(std::size_t layer, bool backward) { at(layer, backward).end->record(stream_); }

void LayerClock::read() {
  for (auto& layer : passes_)
    for (Marks& pass : layer) pass.ms.push_back(pass.end->milliseconds_since(*pass.begin));
}

double LayerClock::median_ms(std::size_t layer, bool backward) const {
  return spread_of(passes_[layer][backward ? 1 : 0].ms).median;
}

std::vector<LayerTime> layer_times(Network& network, const LayerClock& clock) {
  std::vector<LayerTime> lines;
  double in = 1e-9 * static_cast<double>(network.input().bytes());
  for (std::size_t i = 0; i < network.layers().size(); ++i) {
    const Layer& layer = *network.layers()[i];
    LayerTime line;
    line.layer = layer.name();
    line.implementation = layer.implementation();
    line.forward_ms = clock.median_ms(i, false);
    line.backward_ms = clock.median_ms(i, true);
    line.forward_gflop = 2e-9 * static_cast<double>(layer.forward_products());
    line.backward_gflop = 2e-9 * static_cast<double>(layer.backward_products());
    line.direct_gflop =
        2e-9 * static_cast<double>(layer.forward_multiply_adds() + layer.backward_multiply_adds());
    const double value_gbyte = 1e-9 * static_cast<double>(size_of(network.working().type));
    const double out = value_gbyte * static_cast<double>(layer.output().count());
    double weights = 0;
    for (const Parameter& p : network.layers()[i]->parameters())
      weights += static_cast<double>(p.local().count());
    line.forward_gbyte = in + out + value_gbyte * weights;
    line.backward_gbyte = in + out + (i > 0 ? in : 0) +
                          (value_gbyte + 1e-9 * static_cast<double>(sizeof(float))) * weights;
    in = out;
    line.exchange_bytes = layer.exchange_bytes(false) + layer.exchange_bytes(true);
    lines.push_back(line);
  }
  return lines;
}

}  // namespace convoy
