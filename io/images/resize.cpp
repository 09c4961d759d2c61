// Separable resampling: rows first, over whole lines, then columns of the rows that remain.
#include "io/images/resize.h"

#include <algorithm>
#include <cmath>
#include <vector>

namespace convoy {
namespace {

constexpr int weight_bits = 14;  // weights sum to 1 << weight_bits
constexpr int between_bits = 7;  // fraction bits of the values between the two passes: 15 in all
constexpr std::int32_t one = 1 << weight_bits;

// For each output position: where its inputs begin and their weights.
struct Filter {
  struct Window {
    std::int64_t first = 0;
    std::int64_t taps = 0;
    std::size_t weights = 0;  // index of the first
  };
  std::vector<Window> windows;
  std::vector<std::int16_t> weights;

  [[nodiscard]] std::int64_t begin() const { return windows.front().first; }
  [[nodiscard]] std::int64_t end() const { return windows.back().first + windows.back().taps; }
};

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
    filter.windows.push_back({first, last - first, filter.weights.size()});
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
  return filter;
}

// line[i] = sum over rows of weight * row[i], with between_bits of fraction.
void mix_rows(const std::uint8_t* rows, std::int64_t stride, const std::int16_t* weights,
              std::int64_t taps, std::vector<std::int32_t>& sums, std::vector<std::int16_t>& line) {
  const std::size_t count = line.size();
  std::fill(sums.begin(), sums.end(), 1 << (weight_bits - between_bits - 1));
  for (std::int64_t tap = 0; tap < taps; ++tap) {
    const std::uint8_t* row = rows + tap * stride;
    const std::int16_t weight = weights[tap];
    std::int32_t* sum = sums.data();
    for (std::size_t i = 0; i < count; ++i) {
      sum[i] += static_cast<std::int16_t>(row[i]) * weight;
    }
  }
  for (std::size_t i = 0; i < count; ++i) {
    line[i] = static_cast<std::int16_t>(sums[i] >> (weight_bits - between_bits));
  }
}

// One output row from a mixed line whose first pixel is input column filter.begin().
void mix_columns(const std::int16_t* line, const Filter& filter, std::uint8_t* out) {
  constexpr int shift = weight_bits + between_bits;
  constexpr std::int32_t half = 1 << (shift - 1);
  const std::int64_t begin = filter.begin();
  for (const Filter::Window& window : filter.windows) {
    const std::int16_t* pixel = line + (window.first - begin) * 3;
    const std::int16_t* weight = filter.weights.data() + window.weights;
    std::int32_t red = half;
    std::int32_t green = half;
    std::int32_t blue = half;
    for (std::int64_t tap = 0; tap < window.taps; ++tap, pixel += 3) {
      red += pixel[0] * weight[tap];
      green += pixel[1] * weight[tap];
      blue += pixel[2] * weight[tap];
    }
    *out++ = static_cast<std::uint8_t>(red >> shift);
    *out++ = static_cast<std::uint8_t>(green >> shift);
    *out++ = static_cast<std::uint8_t>(blue >> shift);
  }
}

}  // namespace

void resize_and_crop(const Image& image, std::int64_t size, std::span<std::uint8_t> out) {
  const std::int64_t shorter = std::min(image.width, image.height);
  const auto scaled = [&](std::int64_t side) { return (side * size + shorter / 2) / shorter; };
  const std::int64_t width = scaled(image.width);
  const std::int64_t height = scaled(image.height);
  const Filter columns = triangle(image.width, width, (width - size) / 2, size);
  const Filter rows = triangle(image.height, height, (height - size) / 2, size);

  const std::int64_t stride = image.width * 3;
  const std::uint8_t* first_column = image.pixels.data() + columns.begin() * 3;
  std::vector<std::int16_t> line(static_cast<std::size_t>(columns.end() - columns.begin()) * 3);
  std::vector<std::int32_t> sums(line.size());
  for (std::int64_t y = 0; y < size; ++y) {
    const Filter::Window& window = rows.windows[static_cast<std::size_t>(y)];
    mix_rows(first_column + window.first * stride, stride, rows.weights.data() + window.weights,
             window.taps, sums, line);
    mix_columns(line.data(), columns, out.data() + y * size * 3);
  }
}

}  // namespace convoy
