// The newest checkpoint is the one with the greatest step, not the last name or the last write.
#include "launcher/checkpoint_path.h"

#include <fstream>

#include <gtest/gtest.h>
#include <unistd.h>

#include "refusal.h"

namespace convoy {
namespace {

namespace fs = std::filesystem;

class NewestCheckpoint : public testing::Test {
 protected:
  NewestCheckpoint() {
    const auto* test = testing::UnitTest::GetInstance()->current_test_info();
    run_ = fs::temp_directory_path() /
           ("convoy-" + std::string(test->name()) + "-" + std::to_string(getpid()));
    fs::create_directories(run_ / "checkpoints");
  }
  ~NewestCheckpoint() override { fs::remove_all(run_); }
  void add(const std::string& name) { std::ofstream(run_ / "checkpoints" / name) << "x"; }

  fs::path run_;
};

TEST_F(NewestCheckpoint, HasTheGreatestStep) {
  add("step-1000.h5");
  add("step-999.h5");
  add("step-2000.h5.partial");
  add("step-3000.txt");
  EXPECT_EQ(newest_checkpoint(run_).filename(), "step-1000.h5");
}

TEST_F(NewestCheckpoint, IsRefusedWhereThereIsNone) {
  EXPECT_EQ(refusal([&] { (void)newest_checkpoint(run_); }, ExitCode::bad_checkpoint),
            "the folder " + (run_ / "checkpoints").string() + " holds no checkpoint (*.h5)");
  fs::remove_all(run_ / "checkpoints");
  EXPECT_EQ(refusal([&] { (void)newest_checkpoint(run_); }, ExitCode::bad_checkpoint),
            "the folder " + (run_ / "checkpoints").string() +
                " cannot be read: No such file or directory");
}

}  // namespace
}  // namespace convoy
