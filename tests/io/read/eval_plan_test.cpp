// The plan of evaluation: the paper's ten views, and every image exactly once on any number of
// ranks.
#include <array>
#include <set>
#include <vector>

#include <gtest/gtest.h>

#include "core/error.h"
#include "tests/io/plan_fixture.h"

namespace convoy {
namespace {

using namespace plan_test;
using EvalPlanTest = PlanTest;

TEST_F(EvalPlanTest, TenViewsAreTheCornersTheCentreAndTheirMirrors) {
  const EvalPlan plan(dataset(), crop, 10, 24, {0, 24});  // 2 images and 4 places of padding
  const Requests requests = filled(plan, 3, 24);
  const std::array<std::array<std::int32_t, 2>, 5> corners = {
      {{0, 0}, {0, 9}, {9, 0}, {9, 9}, {4, 4}}};
  for (std::size_t place = 0; place < 20; ++place) {
    const CropRequest& request = requests[place];
    EXPECT_EQ(request.sample, place < 10 ? 6 : 7);
    EXPECT_EQ(request.record.top, corners[place % 5][0]);
    EXPECT_EQ(request.record.left, corners[place % 5][1]);
    EXPECT_EQ(request.record.mirror, place % 10 < 5 ? 0 : 1);
    EXPECT_EQ(request.record.colour, (std::array<float, 3>{}));
  }
  for (std::size_t place = 20; place < 24; ++place) EXPECT_EQ(requests[place].sample, -1);
}

TEST_F(EvalPlanTest, OneViewIsTheCentre) {
  const EvalPlan plan(dataset(), crop, 1, 8, {0, 8});
  EXPECT_EQ(plan.batches(), 8);
  std::int64_t sample = 0;
  for (std::int64_t b = 0; b < 8; ++b) {
    for (const CropRequest& request : filled(plan, b, 8)) {
      if (sample == images) {
        EXPECT_EQ(request.sample, -1);
        continue;
      }
      EXPECT_EQ(values_of(request), std::tuple(sample, 4, 4, 0, 0.0f, 0.0f, 0.0f));
      ++sample;
    }
  }
  EXPECT_EQ(sample, images);
}

// Every view of every image exactly once, each image whole inside one slice.
void expect_each_image_once(const Dataset& dataset, int views, std::int64_t slice,
                            std::int64_t ranks) {
  std::vector<int> seen(static_cast<std::size_t>(dataset.size()), 0);
  std::set<std::int64_t> lengths;
  for (std::int64_t rank = 0; rank < ranks; ++rank) {
    const EvalPlan plan(dataset, crop, views, slice * ranks, {rank * slice, (rank + 1) * slice});
    lengths.insert(plan.batches());
    for (std::int64_t b = 0; b < plan.batches(); ++b) {
      const Requests requests = filled(plan, b, slice);
      for (std::size_t place = 0; place < requests.size(); ++place) {
        if (requests[place].sample < 0) continue;
        ++seen.at(static_cast<std::size_t>(requests[place].sample));
        const std::size_t image_begin = place - place % static_cast<std::size_t>(views);
        EXPECT_EQ(requests[place].sample, requests[image_begin].sample);
      }
    }
  }
  EXPECT_EQ(lengths.size(), 1u) << "ranks must take the same number of batches";
  EXPECT_EQ(seen, std::vector<int>(seen.size(), views));
}

TEST_F(EvalPlanTest, EveryImageCountsExactlyOnce) {
  for (const std::int64_t n : {1, 2, 7, 10, 23}) {
    const TemporaryFolder folder;
    const Dataset few(small_dataset(folder.path(), 1, n, image_size));
    for (const int views : {1, 10}) {
      for (const std::int64_t slice : {1, 2, 3, 5, 7, 10, 13, 20, 25, 64}) {
        if (slice < views) continue;
        for (const std::int64_t ranks : {1, 2, 3, 4, 7}) {
          SCOPED_TRACE(testing::Message() << n << " images, " << views << " views, " << ranks
                                          << " slices of " << slice);
          expect_each_image_once(few, views, slice, ranks);
        }
      }
    }
  }
}

TEST_F(EvalPlanTest, RefusesWhatCannotWork) {
  const auto code = [](int views, std::int64_t global, Range slice, std::int64_t size = crop) {
    try {
      const EvalPlan plan(dataset(), size, views, global, slice);
    } catch (const Error& error) {
      return error.code();
    }
    return ExitCode::done;
  };
  EXPECT_EQ(code(10, 20, {10, 20}), ExitCode::done);
  EXPECT_EQ(code(10, 18, {9, 18}), ExitCode::usage);
  EXPECT_EQ(code(5, 20, {10, 20}), ExitCode::usage);
  EXPECT_EQ(code(1, 20, {13, 20}), ExitCode::usage);
  EXPECT_EQ(code(1, 20, {5, 15}), ExitCode::usage);
  EXPECT_EQ(code(1, 20, {0, 20}, 33), ExitCode::bad_data);
}

}  // namespace
}  // namespace convoy
