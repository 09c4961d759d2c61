// Learning-rate schedules against the published ones.
#include "core/schedule.h"

#include <gtest/gtest.h>

#include "core/error.h"
#include "core/recipe.h"

namespace convoy {
namespace {

double factor(const std::string& text, Progression at) { return Schedule(text, 0.1).factor(at); }

TEST(Schedule, Steps) {
  EXPECT_DOUBLE_EQ(factor("steps:100000:0.1", {99'999, 0, 90, 0}), 1);
  EXPECT_DOUBLE_EQ(factor("steps:100000:0.1", {100'000, 0, 90, 0}), 0.1);
  EXPECT_DOUBLE_EQ(factor("steps:100000:0.1", {350'000, 0, 90, 0}), 1e-3);
}

TEST(Schedule, Epochs) {
  const std::string text = "epochs:24=0.1,71=0";
  EXPECT_EQ(factor(text, {0, 23, 90, 0}), 1);
  EXPECT_EQ(factor(text, {0, 24, 90, 0}), 0.1);
  EXPECT_EQ(factor(text, {0, 89, 90, 0}), 0);
}

// cuda-convnet2's "one weird trick" layer file: .01, .0015874, .000251984, 4e-5 by quarters.
TEST(Schedule, ExponentialStages) {
  const std::string text = find_recipe("owt-2014").solver.schedule;
  EXPECT_NEAR(0.01 * factor(text, {0, 0, 90, 0}), .01, 1e-9);
  EXPECT_NEAR(0.01 * factor(text, {0, 23, 90, 0}), .0015874, 1e-7);
  EXPECT_NEAR(0.01 * factor(text, {0, 45, 90, 0}), .000251984, 1e-8);
  EXPECT_NEAR(0.01 * factor(text, {0, 89, 90, 0}), 4e-5, 1e-9);
}

TEST(Schedule, PlateauFollowsTheDrops) {
  EXPECT_DOUBLE_EQ(factor("plateau", {0, 0, 90, 0}), 1);
  EXPECT_NEAR(factor("plateau", {0, 0, 90, 3}), 1e-3, 1e-18);
}

TEST(Schedule, RefusesWhatItCannotRead) {
  for (const char* text :
       {"", "step", "steps:10", "steps:0:0.1", "steps:10:-1", "epochs:", "epochs:5=0.1,5=0.2",
        "epochs:x=1", "exponential:1:0.1", "steps:1:2:3"}) {
    EXPECT_THROW(Schedule(text, 0.1), Error) << text;
  }
}

TEST(PlateauTracker, DropsAfterPatienceAndNotMoreThanAllowed) {
  PlateauTracker tracker(2, 2);
  EXPECT_FALSE(tracker.observe(0.5));
  EXPECT_FALSE(tracker.observe(0.5));
  EXPECT_TRUE(tracker.observe(0.6));
  EXPECT_FALSE(tracker.observe(0.4));
  EXPECT_FALSE(tracker.observe(0.4));
  EXPECT_TRUE(tracker.observe(0.4));
  for (int i = 0; i < 10; ++i) EXPECT_FALSE(tracker.observe(0.9));
  EXPECT_EQ(tracker.drops(), 2);
}

}  // namespace
}  // namespace convoy
