// Medians over the observed steps.
#include "dist/step/layer_clock.h"

#include "dist/spread.h"

namespace convoy {

LayerClock::LayerClock(Device& device, Stream& stream, std::size_t layers)
    : marks_(device, stream, layers), ms_(layers) {}

void LayerClock::read() {
  for (std::size_t layer = 0; layer < ms_.size(); ++layer) {
    for (const bool backward : {false, true}) {
      double ms = 0;
      for (const LayerMarks::Turn& turn : marks_.turns(layer, backward))
        ms += turn.end->milliseconds_since(*turn.begin);
      ms_[layer][backward ? 1 : 0].push_back(ms);
    }
  }
  marks_.reset();
}

double LayerClock::median_ms(std::size_t layer, bool backward) const {
  return spread_of(ms_[layer][backward ? 1 : 0]).median;
}

std::vector<LayerTime> layer_times(Session& session, const LayerClock& clock) {
  Network& network = session.network();
  std::vector<LayerTime> lines;
  double in = 1e-9 * static_cast<double>(network.input().bytes());
  for (std::size_t i = 0; i < network.layers().size(); ++i) {
    const Layer& layer = *network.layers()[i];
    const double turns = static_cast<std::int64_t>(i) < session.head().begin ? 1 : session.turns();
    LayerTime line;
    line.layer = layer.name();
    line.implementation = layer.implementation();
    line.forward_ms = clock.median_ms(i, false);
    line.backward_ms = clock.median_ms(i, true);
    line.forward_gflop = 2e-9 * turns * static_cast<double>(layer.forward_products());
    line.backward_gflop = 2e-9 * turns * static_cast<double>(layer.backward_products());
    line.direct_gflop =
        2e-9 * turns *
        static_cast<double>(layer.forward_multiply_adds() + layer.backward_multiply_adds());
    const double value_gbyte = 1e-9 * static_cast<double>(size_of(network.working().type));
    const double out = value_gbyte * static_cast<double>(layer.output().count());
    double weights = 0;
    for (const Parameter& p : network.layers()[i]->parameters())
      weights += static_cast<double>(p.local().count());
    line.forward_gbyte = turns * (in + out + value_gbyte * weights);
    line.backward_gbyte =
        turns * (in + out + (i > 0 ? in : 0) +
                 (value_gbyte + 1e-9 * static_cast<double>(sizeof(float))) * weights);
    in = out;
    line.exchange_bytes = layer.exchange_bytes(false) + layer.exchange_bytes(true);
    lines.push_back(line);
  }
  return lines;
}

}  // namespace convoy
