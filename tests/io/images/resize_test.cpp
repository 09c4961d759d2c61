// Resizing: closed forms, and a plain reference in double precision.
#include "io/images/resize.h"

#include <algorithm>
#include <cmath>
#include <random>

#include <gtest/gtest.h>

#include "tests/io/support/image_files.h"

namespace convoy {
namespace {

Bytes resized(const Image& image, std::int64_t size) {
  Bytes out(static_cast<std::size_t>(size * size * 3));
  resize_and_crop(image, size, out);
  return out;
}

Image noise(std::int64_t width, std::int64_t height) {
  std::mt19937 random(11);
  Image image{width, height, Bytes(static_cast<std::size_t>(width * height * 3))};
  for (auto& value : image.pixels) value = static_cast<std::uint8_t>(random());
  return image;
}

struct Window {
  std::int64_t first;
  std::vector<double> weights;
};

// The definition: a triangle of radius max(in / scaled, 1) around the centre of output sample i.
Window window(std::int64_t in, std::int64_t scaled, std::int64_t i) {
  const double step = static_cast<double>(in) / static_cast<double>(scaled);
  const double radius = std::max(step, 1.0);
  const double centre = (static_cast<double>(i) + 0.5) * step - 0.5;
  Window result{-1, {}};
  double sum = 0;
  for (std::int64_t x = 0; x < in; ++x) {
    const double weight = 1 - std::abs(static_cast<double>(x) - centre) / radius;
    if (weight <= 0) continue;
    if (result.first < 0) result.first = x;
    result.weights.push_back(weight);
    sum += weight;
  }
  for (double& weight : result.weights) weight /= sum;
  return result;
}

double reference(const Image& image, std::int64_t size, std::int64_t y, std::int64_t x,
                 std::int64_t c) {
  const std::int64_t shorter = std::min(image.width, image.height);
  const std::int64_t width = image.width * size / shorter;
  const std::int64_t height = image.height * size / shorter;
  // std::lrint rounds halves to even, as Python's round does, by which torchvision crops.
  const auto half = [](std::int64_t number) { return std::lrint(static_cast<double>(number) / 2); };
  const Window rows = window(image.height, height, y + half(height - size));
  const Window columns = window(image.width, width, x + half(width - size));
  double sum = 0;
  for (std::size_t i = 0; i < rows.weights.size(); ++i) {
    for (std::size_t j = 0; j < columns.weights.size(); ++j) {
      const auto at = ((rows.first + static_cast<std::int64_t>(i)) * image.width + columns.first +
                       static_cast<std::int64_t>(j)) *
                          3 +
                      c;
      sum += rows.weights[i] * columns.weights[j] * image.pixels[static_cast<std::size_t>(at)];
    }
  }
  return sum;
}

TEST(Resize, ConstantImagesStayWhatTheyAre) {
  for (const auto& [width, height] : {std::pair{37, 91}, {256, 256}, {1000, 300}, {5, 4}, {1, 1}}) {
    const Image image{width, height, constant_pixels(width, height, {0, 201, 255})};
    EXPECT_EQ(resized(image, 32), constant_pixels(32, 32, {0, 201, 255}));
  }
}

TEST(Resize, TheSameSizeIsACopy) {
  const Image image = noise(48, 48);
  EXPECT_EQ(resized(image, 48), image.pixels);
}

TEST(Resize, TheCropIsCentral) {
  const Image image = noise(61, 48);  // 13 columns too many: 6 left, 7 right
  const Bytes out = resized(image, 48);
  for (std::size_t y = 0; y < 48; ++y) {
    for (std::size_t i = 0; i < 48 * 3; ++i) {
      ASSERT_EQ(out[y * 48 * 3 + i], image.pixels[(y * 61 + 6) * 3 + i]);
    }
  }
}

TEST(Resize, ARampStaysARamp) {
  Image image{200, 100, {}};
  for (int y = 0; y < 100; ++y) {
    for (int x = 0; x < 200; ++x) image.pixels.insert(image.pixels.end(), 3, std::uint8_t(x));
  }
  const Bytes out = resized(image, 50);  // halved: columns 25 to 74 of 100
  for (std::size_t x = 0; x < 50; ++x) {
    // Output x lies in the middle of input columns 50 + 2x and 51 + 2x.
    const auto between = static_cast<double>(50 + 2 * x) + 0.5;
    EXPECT_NEAR(out[(25 * 50 + x) * 3], between, 0.51);
  }
}

TEST(Resize, FineDetailAveragesOut) {
  Image checks{256, 256, {}};
  for (int y = 0; y < 256; ++y) {
    for (int x = 0; x < 256; ++x) {
      checks.pixels.insert(checks.pixels.end(), 3, std::uint8_t((x + y) % 2 == 0 ? 255 : 0));
    }
  }
  for (const std::uint8_t value : resized(checks, 32)) ASSERT_NEAR(value, 127.5, 2);
}

TEST(Resize, AgreesWithTheDefinition) {
  struct Case {
    std::int64_t width, height, size;
  };
  for (const Case& at : {Case{97, 64, 32},
                         {40, 53, 17},
                         {9, 14, 24},
                         {500, 375, 64},
                         {3, 200, 8},
                         {2000, 700, 16}}) {
    const Image image = noise(at.width, at.height);
    const Bytes out = resized(image, at.size);
    for (std::int64_t y = 0; y < at.size; y += 3) {
      for (std::int64_t x = 0; x < at.size; x += 2) {
        const auto i = static_cast<std::size_t>((y * at.size + x) * 3 + 1);
        ASSERT_NEAR(out[i], reference(image, at.size, y, x, 1), 0.8)
            << at.width << "x" << at.height << " to " << at.size << " at " << y << ", " << x;
      }
    }
  }
}

TEST(Resize, EveryInstructionSetGivesTheSameBytes) {
  for (const auto& [width, height] : {std::pair{97, 64}, {41, 333}, {7, 5}, {500, 375}}) {
    const Image image = noise(width, height);
    for (const std::int64_t size : {1, 5, 37, 64}) {
      Bytes plain(static_cast<std::size_t>(size * size * 3));
      resize_and_crop(image, size, plain, cpu::Isa::baseline);
      for (const cpu::Isa isa : {cpu::Isa::avx2, cpu::Isa::avx512}) {
        if (isa > cpu::best_isa()) continue;
        Bytes out(plain.size());
        resize_and_crop(image, size, out, isa);
        EXPECT_EQ(out, plain) << width << "x" << height << " to " << size;
      }
    }
  }
}

TEST(Resize, TakesImagesOfExtremeShape) {
  for (const auto& [width, height] : {std::pair{1, 5000}, {5000, 1}, {1, 1}, {2, 3}}) {
    EXPECT_EQ(resized({width, height, constant_pixels(width, height, {7, 8, 9})}, 20),
              constant_pixels(20, 20, {7, 8, 9}));
  }
}

}  // namespace
}  // namespace convoy
