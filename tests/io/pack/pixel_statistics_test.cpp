// Mean and principal components against plain sums in double precision.
#include "io/pack/pixel_statistics.h"

#include <cmath>
#include <random>

#include <gtest/gtest.h>

namespace convoy {
namespace {

using Matrix3 = std::array<std::array<double, 3>, 3>;

TEST(PixelStatistics, AreExactWithEveryInstructionSet) {
  constexpr std::size_t size = 259;  // more pixels than one call of the kernel takes, and odd
  std::mt19937 random(5);
  std::vector<std::uint8_t> noise(size * size * 3);
  for (std::uint8_t& value : noise) value = static_cast<std::uint8_t>(random());
  for (const auto& image : {noise, std::vector<std::uint8_t>(noise.size(), 255)}) {
    std::array<std::uint64_t, 6> products{};
    for (std::size_t i = 0; i < image.size(); i += 3) {
      const std::uint64_t red = image[i];
      const std::uint64_t green = image[i + 1];
      const std::uint64_t blue = image[i + 2];
      const std::uint64_t terms[] = {red * red,   green * green, blue * blue,
                                     red * green, red * blue,    green * blue};
      for (std::size_t k = 0; k < 6; ++k) products[k] += 2 * terms[k];
    }
    std::vector<std::uint64_t> pixels(image.begin(), image.end());
    for (std::uint64_t& value : pixels) value *= 2;
    for (const cpu::Isa isa : {cpu::Isa::baseline, cpu::Isa::avx2, cpu::Isa::avx512}) {
      if (isa > cpu::best_isa()) continue;
      PixelStatistics statistics(size, isa);
      statistics.add(image.data());
      statistics.add(image.data());
      EXPECT_EQ(statistics.sums().products, products);
      EXPECT_EQ(statistics.sums().pixels, pixels);
    }
  }
}

TEST(PixelStatistics, AgreeWithTheirDefinition) {
  constexpr std::size_t size = 9;
  constexpr std::size_t images = 7;
  constexpr std::size_t values = size * size * 3;
  std::mt19937 random(3);
  std::vector<std::uint8_t> pixels(images * values);
  for (std::size_t i = 0; i < pixels.size(); i += 3) {
    const auto shared = random() % 156;  // correlated channels, as in photographs
    for (std::size_t c = 0; c < 3; ++c) {
      pixels[i + c] = static_cast<std::uint8_t>(shared + random() % (40 + 30 * c));
    }
  }
  PixelStatistics first(size);
  PixelStatistics second(size);
  for (std::size_t i = 0; i < images; ++i) {
    (i % 2 == 0 ? first : second).add(pixels.data() + i * values);
  }
  first.add(second);

  std::array<double, 3> mean{};
  for (std::size_t i = 0; i < pixels.size(); ++i) mean[i % 3] += pixels[i];
  const double count = images * size * size;
  for (double& value : mean) value /= count;
  Matrix3 covariance{};
  for (std::size_t i = 0; i < pixels.size(); i += 3) {
    for (std::size_t a = 0; a < 3; ++a) {
      for (std::size_t b = 0; b < 3; ++b) {
        covariance[a][b] += (pixels[i + a] - mean[a]) * (pixels[i + b] - mean[b]) / count;
      }
    }
  }
  for (std::size_t c = 0; c < 3; ++c) EXPECT_NEAR(first.mean_rgb()[c], mean[c], 1e-10);
  const auto mean_image = first.mean_image();
  for (std::size_t i = 0; i < values; ++i) {
    double sum = 0;
    for (std::size_t k = 0; k < images; ++k) sum += pixels[k * values + i];
    ASSERT_NEAR(mean_image[i], sum / images, 1e-5);
  }
  const ColourPca pca = first.pca();
  for (std::size_t k = 0; k < 3; ++k) {
    const double variance = pca.deviations[k] * pca.deviations[k];
    for (std::size_t a = 0; a < 3; ++a) {
      double product = 0;
      for (std::size_t b = 0; b < 3; ++b) product += covariance[a][b] * pca.vectors[k][b];
      EXPECT_NEAR(product, variance * pca.vectors[k][a], 1e-8);
    }
  }
  EXPECT_GT(pca.deviations[0], pca.deviations[1]);
  EXPECT_GT(pca.deviations[1], pca.deviations[2]);
}

TEST(PixelStatistics, OneColourHasNoDeviation) {
  PixelStatistics statistics(4);
  const std::vector<std::uint8_t> image(4 * 4 * 3, 200);
  statistics.add(image.data());
  for (const double deviation : statistics.pca().deviations) EXPECT_NEAR(deviation, 0, 1e-5);
  EXPECT_EQ(statistics.mean_image(), std::vector<float>(4 * 4 * 3, 200.0f));
}

TEST(EigenSymmetric, KnowsClosedForms) {
  const Eigen3 diagonal = eigen_symmetric({{{1, 0, 0}, {0, 3, 0}, {0, 0, 2}}});
  EXPECT_EQ(diagonal.values, (std::array<double, 3>{3, 2, 1}));
  EXPECT_EQ(diagonal.vectors[0], (std::array<double, 3>{0, 1, 0}));
  // Ones everywhere: eigenvalue 3 along (1, 1, 1).
  const Eigen3 ones = eigen_symmetric({{{1, 1, 1}, {1, 1, 1}, {1, 1, 1}}});
  EXPECT_NEAR(ones.values[0], 3, 1e-12);
  EXPECT_NEAR(ones.values[1], 0, 1e-12);
  for (const double component : ones.vectors[0]) {
    EXPECT_NEAR(component, 1 / std::sqrt(3.0), 1e-12);
  }
}

TEST(EigenSymmetric, VectorsAreOrthonormalWithSettledSigns) {
  std::mt19937 random(5);
  for (int trial = 0; trial < 100; ++trial) {
    Matrix3 matrix{};
    for (std::size_t a = 0; a < 3; ++a) {
      for (std::size_t b = 0; b <= a; ++b) {
        matrix[a][b] = matrix[b][a] = static_cast<double>(random() % 2001) - 1000;
      }
    }
    const Eigen3 eigen = eigen_symmetric(matrix);
    for (std::size_t k = 0; k < 3; ++k) {
      double largest = 0;
      for (std::size_t other = 0; other < 3; ++other) {
        double dot = 0;
        for (std::size_t i = 0; i < 3; ++i) dot += eigen.vectors[k][i] * eigen.vectors[other][i];
        EXPECT_NEAR(dot, k == other ? 1 : 0, 1e-12);
      }
      for (const double value : eigen.vectors[k]) {
        if (std::abs(value) > std::abs(largest)) largest = value;
      }
      EXPECT_GT(largest, 0);
    }
  }
}

}  // namespace
}  // namespace convoy
