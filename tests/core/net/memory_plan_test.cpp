// What a network needs, and the sentence when there is less.
#include "core/net/memory_plan.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.h"

namespace convoy {
namespace {

TEST(MemoryPlan, SaysHowManyImagesFit) {
  const MemoryPlan plan{6'000, 2'000, 10'000, 2'000};  // 100 bytes an image at 100 images
  EXPECT_EQ(plan.bytes(), 20'000u);
  EXPECT_EQ(plan.images_that_fit(15'000, 100), 50);
  EXPECT_EQ(plan.images_that_fit(10'000, 100), 0);
  EXPECT_EQ(plan.images_that_fit(9'000, 100), 0);
}

TEST(MemoryPlan, RefusesWhatDoesNotFitWithAllItsParts) {
  const auto device = make_device({"cpu", 1}, {});
  EXPECT_NO_THROW(require_memory(*device, {1, 2, 3, 4}, 8));
  constexpr std::size_t kHuge = std::size_t{1} << 50;
  try {
    require_memory(*device, {kHuge, 2'000'000, 3'000'000, 4'000'000}, 1 << 20);
    FAIL();
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), ExitCode::resource);
    EXPECT_THAT(e.what(), testing::HasSubstr("2 for their gradients, 3 for parameters"));
    EXPECT_THAT(e.what(), testing::HasSubstr("images a rank would fit"));
  }
  try {
    require_memory(*device, {1, 1, kHuge, 1}, 8);
    FAIL();
  } catch (const Error& e) {
    EXPECT_THAT(e.what(), testing::HasSubstr("smaller --model.width"));
  }
}

}  // namespace
}  // namespace convoy
