// Where each output sample of a separable resampling comes from; the kernels do the sums.
#include "io/images/resize.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "io/images/pixel_kernels.h"

namespace convoy {
namespace {

constexpr std::int32_t one = 1 << pixels::kWeightBits;

// For each output position: where its inputs begin and their weights.
struct Filter {
  std::vector<pixels::Window> windows;
  std::vector<std::int16_t> weights;

  [[nodiscard]] std::int64_t begin() const { return windows.front().first; }
  [[nodiscard]] std::int64_t end() const { return windows.back().first + windows.back().taps; }
};

// Half of a number that is not negative; between two whole numbers, the even one.
std::int64_t half_to_even(std::int64_t number) { return (number + (number / 2 & 1)) / 2; }

// A line of `in` samples scaled to `scaled` samples, of which [crop, crop + out) are wanted.
Filter triangle(std::int64_t in, std::int64_t scaled, std::int64_t crop, std::int64_t out) {
  const double step = static_cast<double>(in) / static_cast<double>(scaled);
  const double radius = std::max(step, 1.0);
  Filter filter;
  filter.windows.reserve(static_cast<std::size_t>(out));
  std::vector<double> values;
  for (std::int64_t i = 0; i < out; ++i) {
    const double centre = (static_cast<double>(crop + i) + 0.5) * step;
    const auto first = std::max<std::int64_t>(std::llround(centre - radius), 0);
    const auto last = std::min<std::int64_t>(std::llround(centre + radius), in);
    values.clear();
    double sum = 0;
    for (std::int64_t x = first; x < last; ++x) {
      const double distance = std::abs(static_cast<double>(x) + 0.5 - centre) / radius;
      values.push_back(std::max(1.0 - distance, 0.0));
      sum += values.back();
    }
    filter.windows.push_back({first, last - first, nullptr});
    // Rounding the running sum, not each weight, keeps many small weights true on average.
    double running = 0;
    std::int32_t given = 0;
    for (const double value : values) {
      running += value;
      const auto upto = static_cast<std::int32_t>(std::lround(running / sum * one));
      filter.weights.push_back(static_cast<std::int16_t>(upto - given));
      given = upto;
    }
  }
  const std::int16_t* weights = filter.weights.data();
  for (pixels::Window& window : filter.windows) {
    window.weights = weights;
    weights += window.taps;
  }
  return filter;
}

}  // namespace

void resize_and_crop(const Image& image, std::int64_t size, std::span<std::uint8_t> out,
                     cpu::Isa isa) {
  const std::int64_t shorter = std::min(image.width, image.height);
  const auto scaled = [&](std::int64_t side) { return side * size / shorter; };
  const auto crop = [&](std::int64_t side) { return half_to_even(scaled(side) - size); };
  Filter columns = triangle(image.width, scaled(image.width), crop(image.width), size);
  const Filter rows = triangle(image.height, scaled(image.height), crop(image.height), size);
  const std::int64_t left = columns.begin();
  const std::int64_t width = columns.end() - left;
  for (pixels::Window& window : columns.windows) window.first -= left;

  thread_local std::vector<std::uint16_t> between;
  thread_local std::vector<std::uint8_t> turned;
  between.resize(static_cast<std::size_t>(pixels::kMostLines * 3 * width));
  turned.resize(static_cast<std::size_t>(pixels::kMostLines * 3 * size));
  const pixels::Resampling job{.pixels = image.pixels.data() + left * 3,
                               .stride = image.width * 3,
                               .columns = width,
                               .down = rows.windows.data(),
                               .across = columns.windows.data(),
                               .size = size,
                               .out = out.data(),
                               .between = between.data(),
                               .turned = turned.data()};
  pixels::kernels_for(isa).resample(&job);
}

}  // namespace convoy
