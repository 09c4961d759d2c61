// Orders by blocks: every sample once, near in storage where near in time, the same on any ranks.
#include "io/read/sample_order.h"

#include <algorithm>
#include <memory>
#include <set>

#include <gtest/gtest.h>

#include "io/files/temporary_folder.h"
#include "io/read/batch_plan.h"
#include "tests/io/plan_fixture.h"
#include "tests/io/small_dataset.h"
#include "tests/io/support/expect_error.h"

namespace convoy {
namespace {

constexpr std::int64_t images = 307;  // in shards of 100, 100, 100 and 7
constexpr std::int64_t batch = 12;    // 12 lanes; 25 steps an epoch, 7 images left over
constexpr std::int64_t steps = 25;
constexpr ShuffleOptions blocks_of_2{Shuffle::block, 2};

class SampleOrderTest : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    folder_ = std::make_unique<TemporaryFolder>();
    dataset_ = std::make_unique<Dataset>(small_dataset(folder_->path(), 1, images, 12, 100));
  }
  static void TearDownTestSuite() {
    dataset_.reset();
    folder_.reset();
  }
  static const Dataset& dataset() { return *dataset_; }
  static TrainPlan plan(std::int64_t last_step, Range slice = {0, batch},
                        std::int64_t first_step = 0, const ShuffleOptions& shuffle = blocks_of_2,
                        std::int64_t global_batch = batch) {
    return {dataset(), {.crop = 8}, global_batch, slice, 1, first_step, last_step, shuffle};
  }
  static std::vector<std::int64_t> samples_of(const TrainPlan& plan, std::int64_t index,
                                              std::int64_t places) {
    std::vector<std::int64_t> samples;
    for (const CropRequest& request : plan_test::filled(plan, index, places))
      samples.push_back(request.sample);
    return samples;
  }

 private:
  static inline std::unique_ptr<TemporaryFolder> folder_;
  static inline std::unique_ptr<Dataset> dataset_;
};

TEST_F(SampleOrderTest, EverySampleOnceAnEpochAndEpochsDiffer) {
  for (const std::int64_t block : {1, 2, 7, 100, 1000}) {
    const TrainPlan order = plan(4 * steps, {0, batch}, 0, {Shuffle::block, block});
    std::vector<std::vector<std::int64_t>> epochs;
    std::set<std::int64_t> ever;
    for (std::int64_t epoch = 0; epoch < 4; ++epoch) {
      std::vector<std::int64_t> seen;
      for (std::int64_t step = 0; step < steps; ++step)
        std::ranges::copy(samples_of(order, epoch * steps + step, batch), std::back_inserter(seen));
      EXPECT_EQ(std::set(seen.begin(), seen.end()).size(), static_cast<std::size_t>(steps * batch));
      EXPECT_GE(*std::ranges::min_element(seen), 0);
      EXPECT_LT(*std::ranges::max_element(seen), images);
      ever.insert(seen.begin(), seen.end());
      EXPECT_EQ(std::ranges::find(epochs, seen), epochs.end());
      epochs.push_back(seen);
    }
    if (block < 7) {
      EXPECT_EQ(ever.size(), static_cast<std::size_t>(images)) << block;
    }
  }
}

TEST_F(SampleOrderTest, ALaneReadsAWindowOfFewBlocksAtATime) {
  const SampleOrder order(dataset(), blocks_of_2, batch, 1);
  ASSERT_EQ(order.lanes(), 12);
  ASSERT_EQ(order.lane_samples(), 25);
  ASSERT_EQ(order.windows(), 3);  // of 8, 8 and 9 samples
  const std::vector<std::uint32_t> samples = order.epoch(3);
  std::int64_t descents = 0;
  for (std::int64_t lane = 0; lane < order.lanes(); ++lane) {
    for (std::int64_t number = 0; number < order.windows(); ++number) {
      const Range window = order.window(number);
      const auto begin = samples.begin() + lane * order.lane_samples() + window.begin;
      const auto end = begin + window.size();
      std::set<std::uint32_t> runs(begin, end);
      std::erase_if(runs, [&](std::uint32_t sample) { return runs.contains(sample - 1); });
      EXPECT_LE(std::ssize(runs), window.size() / 2 + 2);  // a block more at either end
      for (auto at = begin; at + 1 < end; ++at) descents += *at > *(at + 1) ? 1 : 0;
      for (std::int64_t i = window.begin; i < window.end; ++i)
        EXPECT_EQ(order.window_of(i), number);
    }
  }
  EXPECT_GT(descents, 90);  // of 264 neighbours: blocks are not read in the order of storage
  EXPECT_LT(descents, 174);
}

TEST_F(SampleOrderTest, BlocksEndWithTheirShard) {
  const SampleOrder order(dataset(), {Shuffle::block, 64}, 1, 1);  // 50 + 50 of 100; 7 of 7
  ASSERT_EQ(order.windows(), 1);
  // With one lane and one image a batch nothing is left over.
  EXPECT_EQ(order.epoch(0).size(), static_cast<std::size_t>(images));
}

TEST_F(SampleOrderTest, RanksTogetherSeeWhatOneRankSees) {
  const TrainPlan one = plan(2 * steps);
  for (const std::int64_t ranks : {2, 3, 4, 6, 12}) {
    const std::int64_t each = batch / ranks;
    std::vector<std::unique_ptr<TrainPlan>> parts;
    for (std::int64_t rank = 0; rank < ranks; ++rank)
      parts.emplace_back(new TrainPlan(plan(2 * steps, {rank * each, (rank + 1) * each})));
    for (std::int64_t step = 0; step < 2 * steps; ++step) {
      std::vector<std::int64_t> together;
      for (const auto& part : parts)
        std::ranges::copy(samples_of(*part, step, each), std::back_inserter(together));
      EXPECT_EQ(together, samples_of(one, step, batch));
    }
  }
}

TEST_F(SampleOrderTest, ResumingIsTheTailOfTheUndisturbedRun) {
  const TrainPlan whole = plan(60);
  for (const std::int64_t first : {1, 12, 24, 25, 37, 50, 59}) {
    const TrainPlan tail = plan(60, {0, batch}, first);
    for (std::int64_t step = first; step < 60; ++step) {
      EXPECT_TRUE(plan_test::same(plan_test::filled(tail, step - first, batch),
                                  plan_test::filled(whole, step, batch)));
    }
  }
}

// What a rank is told to fetch is what it reads, before it reads it, and nothing twice an epoch.
TEST_F(SampleOrderTest, ReadsAheadWhatIsReadNext) {
  for (const std::int64_t first : {0, 11, 24}) {
    for (const Range slice : {Range{0, batch}, Range{4, 8}, Range{11, 12}}) {
      const TrainPlan part = plan(3 * steps, slice, first);
      std::multiset<std::int64_t> fetched;
      std::size_t runs = 0;
      for (std::int64_t i = 0; i < part.batches(); ++i) {
        for (const Range run : part.read_ahead(i)) {
          ++runs;
          for (std::int64_t sample = run.begin; sample < run.end; ++sample) fetched.insert(sample);
        }
        for (const std::int64_t sample : samples_of(part, i, slice.size())) {
          ASSERT_TRUE(fetched.contains(sample)) << "batch " << i << " of " << first;
          fetched.erase(fetched.find(sample));
        }
      }
      // What is left over: samples of the first window that stood before the first step.
      EXPECT_LT(std::ssize(fetched), slice.size() * 9);
      EXPECT_LT(runs, static_cast<std::size_t>(3 * steps * slice.size()) * 3 / 4);
    }
  }
  EXPECT_TRUE(plan(10, {0, batch}, 0, {}).read_ahead(0).empty());
}

TEST_F(SampleOrderTest, ReadsNothingAheadThatTheRunDoesNotReach) {
  const TrainPlan part = plan(8);  // the first window of each lane, to the last sample
  std::int64_t fetched = 0;
  for (std::int64_t i = 0; i < part.batches(); ++i)
    for (const Range run : part.read_ahead(i)) fetched += run.size();
  EXPECT_EQ(fetched, 8 * batch);
}

TEST_F(SampleOrderTest, GoldenValuesOfSeedOne) {
  EXPECT_EQ(samples_of(plan(2), 0, batch),
            (std::vector<std::int64_t>{284, 271, 237, 100, 13, 85, 124, 130, 128, 140, 22, 76}));
}

TEST_F(SampleOrderTest, RefusesBlocksOfNoImages) {
  expect_error(ExitCode::usage, {"0 images"}, [] {
    const SampleOrder order(dataset(), {Shuffle::block, 0}, batch, 1);
  });
}

}  // namespace
}  // namespace convoy
