// Random batches are the same images whoever holds which slice of them.
#include "dist/train/random_batches.h"

#include <cstring>

#include <gtest/gtest.h>

#include "dist/spread.h"
#include "tests/dist/test_world.h"

namespace convoy {
namespace {

TEST(RandomBatches, ASliceIsAPartOfTheWhole) {
  constexpr std::int64_t kSize = 7;  // 147 bytes an image, which blocks of 16 do not divide
  constexpr std::int64_t kImageBytes = kSize * kSize * 3;
  const auto device = test_device();
  const RandomBatches whole(*device, {0, 6}, kSize, 10, 3, 2);
  const RandomBatches part(*device, {4, 6}, kSize, 10, 3, 2);
  for (std::int64_t step = 0; step < 3; ++step) {
    const Batch all = whole.batch(step);
    const Batch some = part.batch(step);
    EXPECT_EQ(std::memcmp(all.crops + 4 * kImageBytes, some.crops, 2 * kImageBytes), 0);
    for (std::size_t i = 0; i < 2; ++i) {
      EXPECT_EQ(all.labels[4 + i], some.labels[i]);
      EXPECT_EQ(all.records[4 + i].mirror, some.records[i].mirror);
    }
  }
  EXPECT_NE(std::memcmp(whole.batch(0).crops, whole.batch(1).crops, 6 * kImageBytes), 0);
  EXPECT_EQ(whole.batch(0).crops, whole.batch(2).crops);
}

TEST(Spread, OfEvenAndOddNumbers) {
  EXPECT_EQ(spread_of({3, 1, 2}).median, 2);
  EXPECT_EQ(spread_of({4, 1, 2, 3}).median, 2.5);
  EXPECT_EQ(spread_of({4, 1, 2, 3}).min, 1);
  EXPECT_EQ(spread_of({4, 1, 2, 3}).max, 4);
  EXPECT_EQ(spread_of({}).median, 0);
}

}  // namespace
}  // namespace convoy
