// What --init-stats prints of figures that are known.
#include "launcher/init_report.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace convoy {
namespace {

using testing::ContainsRegex;
using testing::HasSubstr;
using testing::Not;

InitStats known_stats(std::int64_t steps) {
  LayerSpread conv{.layer = "conv1",
                   .output = {.5, .25, .125, .5},
                   .gradient = {0, 1e-7, 0, 0},
                   .weighs = true,
                   .weights = {0, .01, 0, 0},
                   .weight_gradient = {0, 2e-5, 0, 0}};
  LayerSpread fc8 = conv;
  fc8.layer = "fc8";
  InitStats stats;
  stats.steps = steps;
  stats.moments = {{0, 2.3, {conv, fc8}}};
  stats.effects = {{"as it is", fc8.output, 2.3, 2.25, fc8.output, 0},
                   {"sgd at 0.01", fc8.output, 2.3, 0, {}, 7}};
  return stats;
}

TEST(InitReport, ShowsLayersAndEffects) {
  const std::string text = init_report(known_stats(40), {});
  EXPECT_THAT(text, HasSubstr("Recipe paper, batches of 128 from random pixels, seed 1"));
  EXPECT_THAT(text,
              ContainsRegex("conv1 +0.5 +0.25 +0.125 +50.00 % +0 +1e-07 +0.00 % +0.01 +2e-05"));
  EXPECT_THAT(text, HasSubstr("fc8 (logits)"));
  EXPECT_THAT(text, HasSubstr("after 40 steps (later; loss: mean of the last 10)"));
  EXPECT_THAT(text, ContainsRegex("as it is +0.25 +0.125 +2.3000 +0.25 +0.125 +2.2500"));
  EXPECT_THAT(text, ContainsRegex("sgd at 0.01 +0.25 +0.125 +2.3000 +not finite at 7"));
}

TEST(InitReport, SaysNothingOfStepsThatWereNotMade) {
  EXPECT_THAT(init_report(known_stats(0), {}), Not(HasSubstr("later")));
}

}  // namespace
}  // namespace convoy
