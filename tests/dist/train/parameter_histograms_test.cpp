// Histograms are of the whole net, and the same numbers under every strategy.
#include "dist/train/parameter_histograms.h"

#include <limits>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "tests/dist/small_job.h"
#include "tests/dist/test_world.h"
#include "tests/dist/training_run.h"

namespace convoy {
namespace {

struct Taken {
  std::vector<TaggedHistogram> histograms;
  std::vector<float> kernels;
};

Taken taken(World& world, const std::string& strategy, int threads) {
  JobOptions job = small_job();
  job.dist.strategy = strategy;
  job.device.threads = threads;
  TrainingRun run(world, job);
  for (std::int64_t step = 0; step < 2; ++step) run.step(step);
  ParameterHistograms histograms(run.session);
  Taken taken{histograms.take(true), histograms.first_kernels()};
  EXPECT_EQ(taken.histograms.empty(), !run.session.leader());
  return taken;
}

void expect_those_of_one_rank(World& world, const std::string& strategy) {
  const auto alone = test_world().part(test_world().rank());
  const Taken split = taken(world, strategy, 1);
  const Taken whole = taken(*alone, "single", 2);
  EXPECT_EQ(split.kernels, whole.kernels);
  if (split.histograms.empty()) return;
  ASSERT_EQ(split.histograms.size(), whole.histograms.size());
  for (std::size_t i = 0; i < whole.histograms.size(); ++i) {
    const auto& [tag, expected] = whole.histograms[i];
    EXPECT_EQ(split.histograms[i].tag, tag);
    const Histogram& histogram = split.histograms[i].histogram;
    EXPECT_EQ(histogram.counts, expected.counts) << tag;
    EXPECT_EQ(histogram.least, expected.least) << tag;
    EXPECT_EQ(histogram.most, expected.most) << tag;
    EXPECT_EQ(histogram.sum, expected.sum) << tag;
    EXPECT_EQ(histogram.squares, expected.squares) << tag;
  }
}

TEST(ParameterHistograms, AreTheSameUnderEveryStrategy) {
  expect_those_of_one_rank(test_world(), "data");
  if (test_world().size() % 2 != 0) return;
  expect_those_of_one_rank(*test_world().part(test_world().rank() / 2), "model");
  expect_those_of_one_rank(*test_world().part(test_world().rank() / 2), "owt");
  expect_those_of_one_rank(test_world(), "hybrid");
}

TEST(ParameterHistograms, CountEveryValueOfParametersAndGradients) {
  const auto alone = test_world().part(test_world().rank());
  TrainingRun run(*alone, small_job());
  run.step(0);
  const Parameter& last = *run.session.network().parameters().front();
  last.gradient.f32()[3] = std::numeric_limits<float>::quiet_NaN();
  ParameterHistograms histograms(run.session);
  const std::vector<TaggedHistogram> all = histograms.take(true);
  const auto parameters = run.session.network().parameters();
  ASSERT_EQ(all.size(), 2 * parameters.size());
  for (std::size_t i = 0; i < all.size(); ++i) {
    const Parameter& parameter = *parameters[i / 2];
    EXPECT_EQ(all[i].tag, parameter.kind + (i % 2 == 1 ? "_gradient/" : "/") + parameter.layer);
    EXPECT_EQ(all[i].histogram.values(), parameter.logical.count()) << all[i].tag;
    EXPECT_EQ(all[i].histogram.not_finite, i == 1 ? 1 : 0) << all[i].tag;
  }
  EXPECT_EQ(histograms.take(false).size(), parameters.size());
  EXPECT_EQ(histograms.first_layer().layer, "conv1");
}

}  // namespace
}  // namespace convoy
