// The plan of training: independent of ranks and of where a run was resumed, and distributed as it
// should be.
#include <array>
#include <cmath>
#include <map>
#include <set>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "core/error.h"
#include "core/random.h"
#include "tests/io/plan_fixture.h"

namespace convoy {
namespace {

using namespace plan_test;
using TrainPlanTest = PlanTest;

TEST_F(TrainPlanTest, RanksTogetherSeeWhatOneRankSees) {
  const TrainPlan one = train_plan(20);
  for (const std::int64_t ranks : {2, 4, 8}) {
    const std::int64_t each = batch / ranks;
    for (std::int64_t step = 0; step < 20; ++step) {
      Requests together;
      for (std::int64_t rank = 0; rank < ranks; ++rank) {
        const TrainPlan part = train_plan(20, {rank * each, (rank + 1) * each});
        const Requests mine = filled(part, step, each);
        together.insert(together.end(), mine.begin(), mine.end());
      }
      EXPECT_TRUE(same(together, filled(one, step, batch))) << ranks << " ranks, step " << step;
    }
  }
}

TEST_F(TrainPlanTest, AnEpochVisitsDistinctSamplesAndEpochsDiffer) {
  const TrainPlan plan = train_plan(7 * 40);
  std::set<std::vector<std::int64_t>> orders;
  std::vector<int> visits(images, 0);
  for (std::int64_t epoch = 0; epoch < 40; ++epoch) {
    std::vector<std::int64_t> order;
    for (std::int64_t step = 0; step < 7; ++step) {
      for (const CropRequest& request : filled(plan, epoch * 7 + step, batch)) {
        order.push_back(request.sample);
        ++visits.at(static_cast<std::size_t>(request.sample));
      }
    }
    EXPECT_EQ(std::set(order.begin(), order.end()).size(), 56u) << "epoch " << epoch;
    orders.insert(order);
  }
  EXPECT_EQ(orders.size(), 40u);
  // What is left over differs each epoch: nobody is left out for good.
  for (const int count : visits) EXPECT_GT(count, 25);
}

TEST_F(TrainPlanTest, ResumingIsTheTailOfTheUndisturbedRun) {
  const TrainPlan whole = train_plan(30);
  for (const std::int64_t first : {1, 6, 7, 8, 29}) {
    const TrainPlan tail = train_plan(30, {0, batch}, first);
    EXPECT_EQ(tail.batches(), 30 - first);
    for (std::int64_t b = 0; b < tail.batches(); ++b) {
      EXPECT_TRUE(same(filled(tail, b, batch), filled(whole, first + b, batch)));
    }
  }
}

// Checkpoints and published runs rely on these numbers: a change of the numbering is a new format.
TEST_F(TrainPlanTest, GoldenValuesOfSeedOne) {
  const TrainPlan plan = train_plan(8);
  using Golden = std::array<std::int64_t, 4>;  // sample, top, left, mirror
  const std::vector<Golden> first = {{45, 7, 6, 0}, {14, 8, 2, 0}, {46, 0, 9, 1}, {6, 9, 8, 1},
                                     {9, 7, 8, 1},  {20, 0, 8, 0}, {25, 9, 7, 0}, {53, 3, 4, 0}};
  const std::vector<Golden> second_epoch = {{50, 6, 0, 0}, {31, 2, 0, 1}, {5, 6, 8, 0},
                                            {4, 2, 8, 0},  {60, 3, 9, 1}, {15, 7, 7, 0},
                                            {30, 3, 9, 0}, {0, 6, 3, 1}};
  for (const auto& [step, golden] : {std::pair{0, first}, std::pair{7, second_epoch}}) {
    const Requests requests = filled(plan, step, batch);
    for (std::size_t i = 0; i < golden.size(); ++i) {
      const CropRecord& record = requests[i].record;
      EXPECT_EQ((Golden{requests[i].sample, record.top, record.left, record.mirror}), golden[i])
          << "step " << step << ", place " << i;
    }
  }
}

TEST_F(TrainPlanTest, ColourIsTheDocumentedSumOfComponents) {
  const ColourPca& pca = dataset().pca();
  const TrainPlan plan = train_plan(8);
  for (const std::int64_t step : {0, 7}) {
    for (const CropRequest& request : filled(plan, step, batch)) {
      const PhiloxBlock words =
          RandomSource(1, Purpose::colour)
              .block(step == 0 ? 0 : 1, static_cast<std::uint32_t>(request.sample), 0);
      const double a[] = {normals(words[0], words[1])[0], normals(words[0], words[1])[1],
                          normals(words[2], words[3])[0]};
      for (std::size_t c = 0; c < 3; ++c) {
        double expected = 0;
        for (std::size_t k = 0; k < 3; ++k) {
          expected += 0.1 * a[k] * pca.deviations[k] * pca.vectors[k][c];
        }
        EXPECT_NEAR(request.record.colour[c], expected, 1e-5);
      }
    }
  }
}

TEST_F(TrainPlanTest, CropsAndMirrorsAreUniform) {
  const std::int64_t steps = 7 * 300;
  const TrainPlan plan = train_plan(steps);
  std::map<std::pair<int, int>, int> places;
  std::int64_t mirrored = 0;
  for (std::int64_t step = 0; step < steps; ++step) {
    for (const CropRequest& request : filled(plan, step, batch)) {
      const CropRecord& record = request.record;
      ASSERT_TRUE(0 <= record.top && record.top < 10 && 0 <= record.left && record.left < 10);
      ++places[{record.top, record.left}];
      mirrored += record.mirror;
    }
  }
  const double draws = static_cast<double>(steps * batch);
  EXPECT_NEAR(static_cast<double>(mirrored), draws / 2, 4 * std::sqrt(draws / 4));
  double chi_square = 0;
  for (int top = 0; top < 10; ++top) {
    for (int left = 0; left < 10; ++left) {
      chi_square += std::pow(places[{top, left}] - draws / 100, 2) / (draws / 100);
    }
  }
  EXPECT_GT(chi_square, 60);   // 99 degrees of freedom: one in a thousand lies below 61.1,
  EXPECT_LT(chi_square, 149);  // one in a thousand above 148.2
}

TEST_F(TrainPlanTest, ColourNoiseHasTheCovarianceOfThePaper) {
  const std::int64_t steps = 7 * 500;
  const TrainPlan plan = train_plan(steps);
  std::array<std::array<double, 3>, 3> found{};
  for (std::int64_t step = 0; step < steps; ++step) {
    for (const CropRequest& request : filled(plan, step, batch)) {
      for (std::size_t i = 0; i < 3; ++i) {
        for (std::size_t j = 0; j < 3; ++j) {
          found[i][j] += static_cast<double>(request.record.colour[i]) *
                         static_cast<double>(request.record.colour[j]) /
                         static_cast<double>(steps * batch);
        }
      }
    }
  }
  const ColourPca& pca = dataset().pca();
  double trace = 0;
  for (const double deviation : pca.deviations) trace += 0.01 * deviation * deviation;
  ASSERT_GT(trace, 0);
  for (std::size_t i = 0; i < 3; ++i) {
    for (std::size_t j = 0; j < 3; ++j) {
      double expected = 0;
      for (std::size_t k = 0; k < 3; ++k) {
        expected +=
            0.01 * pca.deviations[k] * pca.deviations[k] * pca.vectors[k][i] * pca.vectors[k][j];
      }
      EXPECT_NEAR(found[i][j], expected, 0.03 * trace) << i << ", " << j;
    }
  }
}

TEST_F(TrainPlanTest, AugmentationCanBeSwitchedOff) {
  const AugmentOptions off{.crop = crop, .random_crop = false, .mirror = false, .colour_noise = 0};
  const TrainPlan plan = train_plan(7, {0, batch}, 0, 1, off);
  for (const CropRequest& request : filled(plan, 3, batch)) {
    EXPECT_EQ(values_of(request), std::tuple(request.sample, 4, 4, 0, 0.0f, 0.0f, 0.0f));
  }
  const AugmentOptions early{.crop = crop, .noise_epochs = 2};
  const TrainPlan noisy = train_plan(21, {0, batch}, 0, 1, early);
  EXPECT_NE(filled(noisy, 13, batch)[0].record.colour[0], 0.0f);
  EXPECT_EQ(filled(noisy, 14, batch)[0].record.colour, (std::array<float, 3>{}));
}

TEST_F(TrainPlanTest, TheSeedDecides) {
  EXPECT_FALSE(
      same(filled(train_plan(1), 0, batch), filled(train_plan(1, {0, batch}, 0, 2), 0, batch)));
  const std::uint64_t high_bit_only = 1 + (std::uint64_t{1} << 32);
  EXPECT_FALSE(same(filled(train_plan(1), 0, batch),
                    filled(train_plan(1, {0, batch}, 0, high_bit_only), 0, batch)));
}

TEST_F(TrainPlanTest, ThreadsAtTheEdgeOfEpochsAgree) {
  const TrainPlan plan = train_plan(70);
  std::vector<Requests> expected;
  for (std::int64_t step = 0; step < 70; ++step) {
    expected.push_back(filled(train_plan(70), step, batch));
  }
  std::vector<Requests> found(70);
  std::vector<std::thread> threads;
  for (std::size_t t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      for (std::size_t step = t; step < 70; step += 4) {
        found[step] = filled(plan, static_cast<std::int64_t>(step), batch);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (std::size_t step = 0; step < 70; ++step) EXPECT_TRUE(same(found[step], expected[step]));
}

TEST_F(TrainPlanTest, RefusesWhatCannotWork) {
  const auto code = [](std::int64_t size, std::int64_t global, Range slice, std::int64_t last) {
    try {
      const TrainPlan plan(dataset(), {.crop = size}, global, slice, 1, 0, last);
    } catch (const Error& error) {
      return error.code();
    }
    return ExitCode::done;
  };
  EXPECT_EQ(code(crop, images, {0, images}, 1), ExitCode::done);
  EXPECT_EQ(code(image_size + 1, 8, {0, 8}, 1), ExitCode::bad_data);
  EXPECT_EQ(code(crop, images + 1, {0, 8}, 1), ExitCode::bad_data);
  EXPECT_EQ(code(crop, 8, {4, 9}, 1), ExitCode::usage);
  EXPECT_EQ(code(crop, 8, {4, 4}, 1), ExitCode::usage);
  EXPECT_EQ(code(crop, 8, {0, 8}, -1), ExitCode::usage);
  Requests too_many(9);
  EXPECT_THROW(train_plan(1).fill(0, too_many), Error);
  EXPECT_THROW(filled(train_plan(1), 1, batch), Error);
}

}  // namespace
}  // namespace convoy
