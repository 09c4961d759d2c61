// Tower ranks that read for each other: the batches of a reader of one's own, and names for the
// late.
#include "dist/step/shared_reading.h"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "core/error.h"
#include "io/read/batch_plan.h"
#include "io/read/reader.h"
#include "tests/dist/test_world.h"
#include "tests/io/small_dataset.h"

namespace convoy {
namespace {

constexpr std::int64_t batch = 7;  // parts of 3 and 4 on two ranks
constexpr std::int64_t crop = 24;

// Pairs of ranks as the towers of a replica; one rank left over is alone.
class SharedReadingTest : public testing::Test {
 protected:
  SharedReadingTest() : device_(test_device()) {
    World& world = test_world();
    everyone_ = world.split(0);
    pair_ = world.split(world.rank() / 2, *device_, Backend::mpi, 0.5);
    // Rank 0 packs; all of this test's ranks are on one host.
    std::array<char, 256> name{};
    if (world.rank() == 0) {
      std::string made = (std::filesystem::temp_directory_path() / "convoy-test-XXXXXX").string();
      EXPECT_NE(mkdtemp(made.data()), nullptr);
      made.copy(name.data(), name.size() - 1);
      small_dataset(made, 2, 10, 32);
    }
    everyone_->broadcast("name", name.data(), name.size(), 0);
    folder_ = name.data();
    dataset_ = std::make_unique<Dataset>(folder_ / "packed");
    plan_ = std::make_unique<TrainPlan>(*dataset_, AugmentOptions{.crop = crop}, batch,
                                        Range{0, batch}, 3, 0, 9);
  }
  ~SharedReadingTest() override {
    everyone_->barrier("done");
    std::error_code ignored;
    if (test_world().rank() == 0) std::filesystem::remove_all(folder_, ignored);
  }

  [[nodiscard]] ReaderOptions options(const std::string& share) const {
    ReaderOptions options{.images = batch, .crop = crop, .threads = 2};
    DataOptions data;
    data.share = share;
    share_reading(*pair_, *device_, *dataset_, data, options);
    return options;
  }

  std::unique_ptr<Device> device_;
  std::unique_ptr<Communicator> everyone_;
  std::unique_ptr<Communicator> pair_;
  std::filesystem::path folder_;
  std::unique_ptr<Dataset> dataset_;
  std::unique_ptr<TrainPlan> plan_;
};

TEST_F(SharedReadingTest, BatchesAreThoseOfAReaderAlone) {
  for (int run = 0; run < 3; ++run) {  // each reader has a ring of its own
    const ReaderOptions shared = options("on");
    EXPECT_EQ(shared.share.has_value(), pair_->size() == 2);
    Reader reader(*dataset_, *plan_, shared);
    Reader alone(*dataset_, *plan_, options("off"));
    for (std::int64_t i = 0; i < plan_->batches(); ++i) {
      const Batch here = reader.next();
      const Batch there = alone.next();
      EXPECT_TRUE(std::equal(here.crops, here.crops + batch * crop * crop * 3, there.crops));
      EXPECT_TRUE(std::equal(here.labels, here.labels + batch, there.labels));
    }
  }
}

TEST_F(SharedReadingTest, AutoLeavesRawImagesToEachRank) {
  EXPECT_FALSE(options("auto").share.has_value());
  EXPECT_FALSE(options("off").share.has_value());
}

TEST_F(SharedReadingTest, ARankThatDoesNotReadIsNamed) {
  const ReaderOptions shared = options("on");
  if (pair_->rank() == 0 && pair_->size() == 2) {
    Reader reader(*dataset_, *plan_, shared);
    try {
      (void)reader.next();
      ADD_FAILURE() << "no error";
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ExitCode::rank_failed);
      EXPECT_THAT(error.what(),
                  testing::HasSubstr(fmt::format("rank {} did not read", pair_->world_rank(1))));
    }
  }
  everyone_->barrier("late");
}

}  // namespace
}  // namespace convoy
