// Bins against plain comparisons, and counts of values whose distribution is known.
#include "io/run/histogram.h"

#include <cmath>
#include <limits>
#include <vector>

#include <gtest/gtest.h>

#include "core/random.h"

namespace convoy {
namespace {

TEST(Histogram, EveryFiniteValueLiesBetweenTheEdgesOfItsBin) {
  std::vector<float> values{0.0F,
                            -0.0F,
                            1.0F,
                            -1.0F,
                            0.5F,
                            -0.5F,
                            1.125F,
                            -1.125F,
                            std::nextafter(-1.0F, 0.0F),
                            std::nextafter(-1.0F, -2.0F),
                            std::numeric_limits<float>::denorm_min(),
                            -std::numeric_limits<float>::denorm_min(),
                            std::numeric_limits<float>::min(),
                            std::numeric_limits<float>::max(),
                            std::numeric_limits<float>::lowest()};
  const RandomSource source(3, Purpose::synthetic);
  for (std::uint32_t i = 0; i < 2000; ++i) {
    const PhiloxBlock words = source.block(0, 0, i);
    const float sign = (words[1] & 1) != 0 ? -1.0F : 1.0F;
    values.push_back(
        sign * std::ldexp(static_cast<float>(words[0]), static_cast<int>(words[1] % 240) - 150));
  }
  for (const float value : values) {
    if (!std::isfinite(value)) continue;
    const std::size_t bin = bin_of(value);
    EXPECT_LE(lower_edge(bin), static_cast<double>(value)) << value;
    EXPECT_GT(lower_edge(bin + 1), static_cast<double>(value)) << value;
  }
}

TEST(Histogram, EdgesGrowAndNeighboursAreClose) {
  for (std::size_t bin = 0; bin < Histogram::kBins; ++bin)
    ASSERT_LT(lower_edge(bin), lower_edge(bin + 1)) << bin;
  EXPECT_EQ(lower_edge(bin_of(1.0F)), 1.0);
  EXPECT_EQ(lower_edge(bin_of(1.0F) + 1), 1.125);
  EXPECT_EQ(lower_edge(bin_of(0.0F)), 0.0);
  EXPECT_EQ(bin_of(0.0F), bin_of(-0.0F));
}

TEST(Histogram, HasTheClosedFormOfAnEvenSpread) {
  constexpr int count_of_values = 1 << 12;  // k / 4096, k = -2048 .. 2047
  std::vector<float> values;
  for (int k = -count_of_values / 2; k < count_of_values / 2; ++k)
    values.push_back(static_cast<float>(k) / count_of_values);
  Histogram histogram;
  const Moments moments = count(values, histogram);
  EXPECT_EQ(histogram.values(), count_of_values);
  EXPECT_EQ(histogram.least, -0.5F);
  EXPECT_EQ(histogram.most, 0.5F - 1.0F / count_of_values);
  EXPECT_EQ(moments.sum, -0.5);  // only -2048 / 4096 has no counterpart
  const double n = count_of_values;
  // The squares of 1 .. n/2, twice but for the largest.
  const double squares = 2 * (n / 2 * (n / 2 + 1) * (n + 1) / 6) - n * n / 4;
  EXPECT_DOUBLE_EQ(moments.squares, squares / (n * n));
  // [1/4, 9/32) holds k = 1024 .. 1151.
  EXPECT_EQ(histogram.counts[bin_of(0.25F)], 128);
  EXPECT_EQ(histogram.counts[bin_of(0.0F)], 1);
}

TEST(Histogram, PartsAddUpToTheWhole) {
  std::vector<float> values;
  for (int i = 0; i < 1000; ++i) values.push_back(std::sin(static_cast<float>(i)) * 3);
  Histogram whole;
  count(values, whole);
  Histogram sum;
  for (std::size_t begin = 0; begin < values.size(); begin += 100) {
    Histogram part;
    count({values.data() + begin, 100}, part);
    add(part, sum);
  }
  EXPECT_EQ(sum.counts, whole.counts);
  EXPECT_EQ(sum.least, whole.least);
  EXPECT_EQ(sum.most, whole.most);
}

TEST(Histogram, CountsWhatIsNotFinite) {
  const float infinity = std::numeric_limits<float>::infinity();
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const std::vector<float> values{nan, -nan, infinity, -infinity, 1, 2};
  Histogram histogram;
  count(values, histogram);
  EXPECT_EQ(histogram.values(), 6);
  EXPECT_EQ(histogram.not_finite, 4);
  EXPECT_EQ(histogram.most, infinity);
  EXPECT_EQ(histogram.least, -infinity);
}

}  // namespace
}  // namespace convoy
