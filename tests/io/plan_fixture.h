// What the tests of the plans share: a small dataset, plans over it, and comparisons.
#pragma once

#include <cstdint>
#include <memory>
#include <tuple>
#include <vector>

#include <gtest/gtest.h>

#include "io/files/temporary_folder.h"
#include "io/read/batch_plan.h"
#include "tests/io/small_dataset.h"

namespace convoy::plan_test {

inline constexpr std::int64_t images = 61;  // a prime: no batch divides it
inline constexpr std::int64_t image_size = 32;
inline constexpr std::int64_t crop = 23;  // 10 places along each side
inline constexpr std::int64_t batch = 8;  // 7 steps an epoch, 5 images left over

inline auto values_of(const CropRequest& request) {
  const CropRecord& record = request.record;
  return std::tuple(request.sample, record.top, record.left, record.mirror, record.colour[0],
                    record.colour[1], record.colour[2]);
}

using Requests = std::vector<CropRequest>;

inline bool same(const Requests& a, const Requests& b) {
  if (a.size() != b.size()) return false;
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (values_of(a[i]) != values_of(b[i])) return false;
  }
  return true;
}

inline Requests filled(const BatchPlan& plan, std::int64_t index, std::int64_t places) {
  Requests requests(static_cast<std::size_t>(places));
  plan.fill(index, requests);
  return requests;
}

class PlanTest : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    folder_ = std::make_unique<TemporaryFolder>();
    dataset_ = std::make_unique<Dataset>(small_dataset(folder_->path(), 1, images, image_size));
  }
  static void TearDownTestSuite() {
    dataset_.reset();
    folder_.reset();
  }
  static TrainPlan train_plan(std::int64_t last_step, Range slice = {0, batch},
                              std::int64_t first_step = 0, std::uint64_t seed = 1,
                              AugmentOptions augment = {.crop = crop}) {
    return {*dataset_, augment, batch, slice, seed, first_step, last_step};
  }
  static const Dataset& dataset() { return *dataset_; }

 private:
  static inline std::unique_ptr<TemporaryFolder> folder_;
  static inline std::unique_ptr<Dataset> dataset_;
};

}  // namespace convoy::plan_test
