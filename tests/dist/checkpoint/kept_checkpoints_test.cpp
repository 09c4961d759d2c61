// Which checkpoints stay.
#include "dist/checkpoint/kept_checkpoints.h"

#include <fstream>
#include <string>

#include <gtest/gtest.h>

#include "io/files/temporary_folder.h"

namespace convoy {
namespace {

namespace fs = std::filesystem;

class KeptCheckpointsTest : public testing::Test {
 protected:
  void write(KeptCheckpoints& kept, std::int64_t step) {
    std::ofstream(kept.path(step)) << step;
    kept.written(step);
  }
  [[nodiscard]] std::vector<std::int64_t> steps() const {
    std::vector<std::int64_t> found;
    for (const StepFile& file : checkpoints_in(folder_.path())) found.push_back(file.step);
    return found;
  }
  [[nodiscard]] std::string best() const {
    std::ifstream in(folder_.path() / "best.h5");
    return {std::istreambuf_iterator<char>(in), {}};
  }
  using Steps = std::vector<std::int64_t>;
  TemporaryFolder folder_;
};

TEST_F(KeptCheckpointsTest, TheNewestAndTheNewestThatIsProven) {
  KeptCheckpoints kept(folder_.path(), 1, true, -1);
  write(kept, 10);
  kept.proven(10);
  write(kept, 20);
  EXPECT_EQ(steps(), (Steps{20, 10}));
  EXPECT_EQ(kept.last_good(), kept.path(10));
  kept.proven(19);
  EXPECT_EQ(steps(), (Steps{20, 10}));
  kept.proven(20);
  EXPECT_EQ(steps(), (Steps{20}));
  EXPECT_EQ(kept.last_good(), kept.path(20));
}

TEST_F(KeptCheckpointsTest, ARunThatGoesOnHasProvenThoseBeforeItsOwn) {
  KeptCheckpoints first(folder_.path(), 0, true, -1);
  for (const std::int64_t step : {10, 20}) write(first, step);
  KeptCheckpoints second(folder_.path(), 1, true, 20);
  EXPECT_EQ(second.last_good(), second.path(10));
  write(second, 30);
  EXPECT_EQ(steps(), (Steps{30, 10})) << "20 has not shown itself good";
  second.proven(30);
  EXPECT_EQ(second.last_good(), second.path(30));
}

TEST_F(KeptCheckpointsTest, AllWhereSoAsked) {
  KeptCheckpoints kept(folder_.path(), 0, true, -1);
  for (const std::int64_t step : {1, 2, 3, 4, 5}) write(kept, step);
  EXPECT_EQ(steps(), (Steps{5, 4, 3, 2, 1}));
}

TEST_F(KeptCheckpointsTest, LaterFilesAndForeignOnesAreLeftAlone) {
  KeptCheckpoints first(folder_.path(), 0, true, -1);
  for (const std::int64_t step : {10, 20, 30}) write(first, step);
  std::ofstream(folder_.path() / "step-mine.h5") << "x";
  std::ofstream(folder_.path() / "step-00000001.txt") << "x";
  KeptCheckpoints second(folder_.path(), 1, true, 10);  // 20 and 30 are damaged
  write(second, 15);
  second.proven(15);
  EXPECT_EQ(steps(), (Steps{30, 20, 15}));
  EXPECT_TRUE(fs::exists(folder_.path() / "step-mine.h5"));
  write(second, 40);
  second.proven(40);
  EXPECT_EQ(steps(), (Steps{40}));
}

TEST_F(KeptCheckpointsTest, TheBestStaysUnderAnotherName) {
  KeptCheckpoints kept(folder_.path(), 1, true, -1);
  std::ofstream(kept.path(10)) << 10;
  kept.best(10);  // not whole yet
  EXPECT_EQ(best(), "");
  kept.written(10);
  EXPECT_EQ(best(), "10");
  kept.proven(10);
  write(kept, 20);
  kept.proven(20);
  EXPECT_EQ(steps(), (Steps{20}));
  EXPECT_EQ(best(), "10");
  kept.best(20);
  EXPECT_EQ(best(), "20");
}

TEST_F(KeptCheckpointsTest, NoBestWhereNotAsked) {
  KeptCheckpoints kept(folder_.path(), 1, false, -1);
  write(kept, 10);
  kept.best(10);
  EXPECT_EQ(best(), "");
}

}  // namespace
}  // namespace convoy
