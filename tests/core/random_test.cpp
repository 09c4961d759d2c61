// Counted random numbers: the authors' test vectors, permutations, normals.
#include "core/random.h"

#include <algorithm>
#include <cmath>

#include <gtest/gtest.h>

namespace convoy {
namespace {

// kat_vectors of Random123, philox4x32 with 10 rounds.
static_assert(philox4x32_10({0, 0, 0, 0}, 0, 0) ==
              PhiloxBlock{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8});
static_assert(philox4x32_10({~0u, ~0u, ~0u, ~0u}, ~0u, ~0u) ==
              PhiloxBlock{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd});
static_assert(philox4x32_10({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, 0xa4093822,
                            0x299f31d0) ==
              PhiloxBlock{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1});

TEST(Random, UniformAndBelowStayInside) {
  EXPECT_GT(uniform(0), 0.0);
  EXPECT_LT(uniform(~0u), 1.0);
  EXPECT_EQ(below(0, 7), 0u);
  EXPECT_EQ(below(~0u, 7), 6u);
}

TEST(Random, SourcesDifferBySeedPurposeAndLayer) {
  const PhiloxBlock first = RandomSource(1, Purpose::crop).block(2, 3, 4);
  EXPECT_EQ(first, RandomSource(1, Purpose::crop).block(2, 3, 4));
  EXPECT_NE(first, RandomSource(1ull << 32, Purpose::crop).block(2, 3, 4));
  EXPECT_NE(first, RandomSource(1, Purpose::colour).block(2, 3, 4));
  EXPECT_NE(first, RandomSource(1, Purpose::crop, 1).block(2, 3, 4));
  EXPECT_NE(first, RandomSource(1, Purpose::crop).block(3, 2, 4));
}

TEST(Random, PermutationsHoldEachNumberOnce) {
  const RandomSource source(5, Purpose::sample_order);
  for (std::uint32_t count : {0u, 1u, 2u, 1000u}) {
    auto order = permutation(source, 3, count);
    EXPECT_EQ(order, permutation(source, 3, count));
    if (count > 2) {
      EXPECT_NE(order, permutation(source, 4, count));
    }
    std::sort(order.begin(), order.end());
    for (std::uint32_t i = 0; i < count; ++i) EXPECT_EQ(order[i], i);
  }
}

TEST(Random, PermutationsAreUniform) {
  const RandomSource source(6, Purpose::sample_order);
  int first_is_zero = 0;
  for (std::uint32_t time = 0; time < 6000; ++time)
    first_is_zero += permutation(source, time, 3)[0] == 0;
  EXPECT_NEAR(first_is_zero / 6000.0, 1 / 3.0, 0.02);
}

TEST(Random, NormalsHaveTheirMoments) {
  const RandomSource source(7, Purpose::weights);
  double sum = 0, square = 0, fourth = 0;
  constexpr int pairs = 50000;
  for (std::uint32_t i = 0; i < pairs; ++i) {
    const auto words = source.block(0, 0, i);
    for (double v : normals(words[0], words[1])) {
      sum += v;
      square += v * v;
      fourth += v * v * v * v;
    }
  }
  EXPECT_NEAR(sum / (2 * pairs), 0, 0.01);
  EXPECT_NEAR(square / (2 * pairs), 1, 0.02);
  EXPECT_NEAR(fourth / (2 * pairs), 3, 0.1);
}

}  // namespace
}  // namespace convoy
