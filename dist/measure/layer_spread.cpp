// Sums in double precision over values on the host.
#include "dist/measure/layer_spread.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>

namespace convoy {
namespace {

// bf16 is the upper half of an fp32 value.
void widen(std::vector<float>& values, const std::vector<std::uint16_t>& halves) {
  std::ranges::transform(halves, values.begin(), [](std::uint16_t half) {
    return std::bit_cast<float>(std::uint32_t{half} << 16);
  });
}

}  // namespace

// Differences from the first image make sums of squares that do not cancel.
ValueSpread value_spread(std::span<const float> values, std::size_t images) {
  const std::size_t per_image = values.size() / images;
  double sum = 0;
  double squares = 0;
  double zeros = 0;
  double variance_of_images = 0;
#pragma omp parallel for reduction(+ : sum, squares, zeros, variance_of_images) schedule(static)
  for (std::size_t place = 0; place < per_image; ++place) {
    const double first = static_cast<double>(values[place]);
    double gaps = 0;
    double gap_squares = 0;
    for (std::size_t image = 0; image < images; ++image) {
      const double value = static_cast<double>(values[image * per_image + place]);
      sum += value;
      squares += value * value;
      zeros += value == 0 ? 1 : 0;
      gaps += value - first;
      gap_squares += (value - first) * (value - first);
    }
    const auto n = static_cast<double>(images);
    variance_of_images += std::max(0.0, gap_squares / n - gaps / n * (gaps / n));
  }
  const auto count = static_cast<double>(values.size());
  const double mean = sum / count;
  return {mean, std::sqrt(std::max(0.0, squares / count - mean * mean)),
          std::sqrt(variance_of_images / static_cast<double>(per_image)), zeros / count};
}

SpreadObserver::SpreadObserver(Session& session)
    : session_(session), layers_(session.network().layers().size()) {
  for (std::size_t i = 0; i < layers_.size(); ++i)
    layers_[i].layer = session.network().layers()[i]->name();
}

ValueSpread SpreadObserver::spread(const Tensor& tensor, std::int64_t images) {
  Device& device = session_.device();
  host_.resize(static_cast<std::size_t>(tensor.count()));
  if (tensor.type == DType::bf16) {
    std::vector<std::uint16_t> halves(host_.size());
    device.copy_to_host(halves.data(), tensor.data, tensor.bytes(), session_.stream());
    session_.wait();
    widen(host_, halves);
  } else {
    device.copy_to_host(host_.data(), tensor.data, tensor.bytes(), session_.stream());
    session_.wait();
  }
  return value_spread(host_, static_cast<std::size_t>(images));
}

void SpreadObserver::begin(std::size_t layer, bool backward) {
  if (!backward) return;
  const Tensor& gradient = session_.network().gradient_of_output(layer);
  layers_[layer].gradient = spread(gradient, gradient.shape.n);
}

void SpreadObserver::end(std::size_t layer, bool backward) {
  LayerSpread& line = layers_[layer];
  if (!backward) {
    const Tensor& output = session_.network().output_of(layer);
    line.output = spread(output, output.shape.n);
    return;
  }
  for (const Parameter& parameter : session_.network().layers()[layer]->parameters()) {
    if (parameter.is_bias()) continue;
    line.weighs = true;
    line.weights = spread(parameter.value, 1);
    line.weight_gradient = spread(parameter.gradient, 1);
  }
}

}  // namespace convoy
