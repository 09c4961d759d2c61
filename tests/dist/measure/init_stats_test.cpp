// Spreads of known values, the single changes, and what looking at a net finds and leaves alone.
#include "dist/measure/init_stats.h"

#include <cmath>
#include <limits>
#include <memory>

#include <gtest/gtest.h>

#include "core/recipe.h"
#include "dist/measure/contestant.h"
#include "tests/dist/small_job.h"
#include "tests/dist/test_world.h"

namespace convoy {
namespace {

std::unique_ptr<World> alone() { return test_world().part(test_world().rank()); }

TEST(ValueSpread, TellsImagesFromPlaces) {
  // Places differ by 10 and are alike in all images, but for the third, which is 2 apart.
  const std::vector<float> values{0, 10, 1, 0, 10, 3};
  const ValueSpread spread = value_spread(values, 2);
  EXPECT_DOUBLE_EQ(spread.mean, 4);
  EXPECT_DOUBLE_EQ(spread.zeros, 1.0 / 3);
  EXPECT_NEAR(spread.deviation, std::sqrt(114.0 / 6), 1e-12);
  EXPECT_NEAR(spread.between_images, std::sqrt(1.0 / 3), 1e-12);
}

TEST(ValueSpread, SeesSmallDifferencesBesideALargeMean) {
  const std::vector<float> values{1000.0f, std::nextafter(1000.0f, 2000.0f)};
  EXPECT_NEAR(value_spread(values, 2).between_images / (values[1] - values[0]), 0.5, 1e-6);
}

TEST(InitChanges, TurnEachChoiceOfARecipeOver) {
  JobOptions job;
  job.model = find_recipe("alexnet-pytorch-sgd").model;
  job.preprocess = find_recipe("alexnet-pytorch-sgd").preprocess;
  EXPECT_EQ(init_changes(job).size(), 5u);  // random pixels: nothing to augment
  job.data.train = "packed";
  const std::vector<InitChange> changes = init_changes(job);
  ASSERT_EQ(changes.size(), 6u);
  EXPECT_FALSE(changes[0].job.preprocess.unit_scale);
  EXPECT_EQ(changes[0].job.preprocess.mean, "centre");
  EXPECT_EQ(changes[1].job.model.weight_std,
            (std::array<double, 8>{.01, .01, .03, .03, .03, .01, .01, .01}));
  EXPECT_TRUE(changes[1].job.preprocess.unit_scale);
  EXPECT_EQ(changes[2].job.model.bias, (std::array<double, 8>{0, .1, 0, .1, .1, .1, .1, 0}));
  EXPECT_FALSE(changes[3].job.model.fc_uniform);
  EXPECT_EQ(changes[4].job.solver.kind, "adam");
  EXPECT_TRUE(changes[5].job.preprocess.mirror);

  JobOptions described = job;
  described.model.net = "input 8; fc classes";
  EXPECT_EQ(init_changes(described).size(), 3u);

  // And back again.
  EXPECT_EQ(init_changes(changes[1].job)[1].job.model.weight_std, job.model.weight_std);
  EXPECT_EQ(init_changes(changes[2].job)[2].job.model.bias, job.model.bias);
  EXPECT_EQ(init_changes(changes[4].job)[4].job.solver.kind, "sgd");
}

TEST(InitStats, LookAtTheNetBeforeAndAfterItsSteps) {
  InitStatsOptions options{small_job(), 2};
  const auto world = alone();
  const InitStats stats = measure_init_stats(*world, options);
  ASSERT_EQ(stats.moments.size(), 2u);
  ASSERT_EQ(stats.effects.size(), 6u);
  const InitMoment& start = stats.moments[0];
  EXPECT_EQ(start.step, 0);
  EXPECT_EQ(stats.moments[1].step, 2);
  const LayerSpread& conv1 = start.layers.front();
  EXPECT_EQ(conv1.layer, "conv1");
  EXPECT_NEAR(conv1.weights.deviation, options.job.model.weight_std[0], 3e-4);
  EXPECT_GT(conv1.output.zeros, 0.2);  // behind its ReLU
  EXPECT_GT(conv1.output.between_images, 0);
  EXPECT_GT(conv1.gradient.deviation, 0);
  EXPECT_GT(conv1.weight_gradient.deviation, 0);
  EXPECT_EQ(stats.effects[0].logits.deviation, start.layers.back().output.deviation);
  EXPECT_EQ(stats.effects[0].later_logits.deviation,
            stats.moments[1].layers.back().output.deviation);
  // Inputs of unit scale: 1 / 60 of the signal, where weights and seed are the same.
  EXPECT_LT(stats.effects[1].logits.between_images, stats.effects[0].logits.between_images / 10);
}

TEST(InitStats, LooksDoNotDisturbTraining) {
  JobOptions job = small_job();
  job.dist.strategy = "single";
  const auto world = alone();
  Contestant plain(*world, job, nullptr, 4);
  Contestant watched(*world, job, nullptr, 4);
  SpreadObserver observer(watched.session());
  const double looked = watched.observed_passes(observer);
  const std::vector<double> losses = plain.turn(0, 3).losses;
  EXPECT_EQ(watched.turn(0, 3).losses, losses);
  EXPECT_EQ(looked, losses.front());
}

TEST(InitStats, SayWhereARunDiverges) {
  InitStatsOptions options{small_job(), 5};
  options.job.solver.lr = std::numeric_limits<float>::max();
  const auto world = alone();
  const InitStats stats = measure_init_stats(*world, options);
  EXPECT_EQ(stats.moments.size(), 1u);
  EXPECT_GT(stats.effects[0].diverged_at, 0);
}

}  // namespace
}  // namespace convoy
