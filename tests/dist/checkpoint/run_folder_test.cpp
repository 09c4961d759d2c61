// What a run writes in the background: nothing waits for a disk that stands still but a checkpoint,
// and nothing is lost without a word.
#include "dist/checkpoint/run_folder.h"

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <future>
#include <string>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.h"
#include "dist/checkpoint/checkpoints.h"
#include "io/files/temporary_folder.h"
#include "io/files/text_file.h"
#include "io/run/event_names.h"
#include "tests/dist/test_world.h"
#include "tests/dist/training_run.h"

namespace convoy {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

class RunFolderOfRankZero : public testing::Test {
 protected:
  void SetUp() override {
    if (test_world().size() > 1) GTEST_SKIP() << "only rank 0 has one";
  }
  [[nodiscard]] RunFolder create() const {
    RunFolder folder = RunFolder::create(path_, "[run]\n", "host");
    folder.keep_events(0);
    return folder;
  }
  // As a disk does.
  void stand_still(RunFolder& folder) {
    folder.show(1, [open = gate_.get_future().share()](EventFolder&) { open.wait(); });
  }
  void go_on() { gate_.set_value(); }
  [[nodiscard]] std::string text(const std::string& name) const {
    return read_small_file(path_ / name, name);
  }

  TemporaryFolder temporary_;
  fs::path path_ = temporary_.path() / "run";
  std::promise<void> gate_;
};

TEST_F(RunFolderOfRankZero, TakesWhatADiskThatStandsStillDoesNot) {
  RunFolder folder = create();
  stand_still(folder);
  for (std::int64_t step = 1; step <= 1000; ++step) folder.write(TrainMetrics{.step = step});
  folder.log("a thousand steps", true);
  EXPECT_EQ(text("metrics.jsonl"), "");
  EXPECT_TRUE(event_files(path_ / "tensorboard").empty());
  go_on();
  folder.settle();
  const std::string metrics = text("metrics.jsonl");
  EXPECT_EQ(std::ranges::count(metrics, '\n'), 1000);
  EXPECT_THAT(metrics, HasSubstr("\"step\":1000,"));
  EXPECT_THAT(text("log.txt"), HasSubstr("info a thousand steps"));
  EXPECT_GT(fs::file_size(event_files(path_ / "tensorboard").at(0)), 1000u * 13 * 20);
}

TEST_F(RunFolderOfRankZero, WritesEverythingAtItsEnd) {
  {
    RunFolder folder = create();
    stand_still(folder);
    for (std::int64_t step = 1; step <= 10; ++step) folder.write(EvalMetrics{.step = step});
    go_on();
  }
  EXPECT_THAT(text("metrics.jsonl"), HasSubstr("\"step\":10,"));
}

TEST_F(RunFolderOfRankZero, SaysWhatCouldNotBeWrittenOnce) {
  RunFolder folder = create();
  std::ofstream(path_ / "tensorboard") << "a file";
  folder.write(TrainMetrics{.step = 1});
  try {
    folder.settle();
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ExitCode::resource);
    EXPECT_THAT(error.what(), HasSubstr("tensorboard"));
  }
  EXPECT_THROW(folder.write(TrainMetrics{.step = 2}), Error);
  EXPECT_EQ(text("metrics.jsonl"), "");  // the event comes first
  testing::internal::CaptureStderr();
  { const RunFolder ends = std::move(folder); }
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
}

TEST_F(RunFolderOfRankZero, WarnsAtItsEndOfWhatNobodyHasHeard) {
  testing::internal::CaptureStderr();
  {
    RunFolder folder = create();
    std::ofstream(path_ / "tensorboard") << "a file";
    folder.write(TrainMetrics{.step = 1});
  }
  EXPECT_THAT(testing::internal::GetCapturedStderr(),
              HasSubstr("convoy: warning: cannot create the folder " + path_.string()));
}

TEST_F(RunFolderOfRankZero, ACheckpointWaitsForWhatTheStepsBeforeItGave) {
  const JobOptions job = small_job();
  TrainingRun run(test_world(), job);
  Control control(test_world(), 60);
  RunFolder folder = create();
  Checkpointer checkpointer(run.session, run.runner.solver());
  Checkpoints saved(checkpointer, control, &folder, job.run, 0, {});
  stand_still(folder);
  folder.write(TrainMetrics{.step = 1});
  CheckpointInfo info;
  info.step = 1;
  saved.begin(info);
  for (int i = 0; i < 50; ++i) {
    saved.progress();
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  EXPECT_TRUE(checkpointer.busy());
  EXPECT_FALSE(fs::exists(folder.checkpoints() / "step-00000001.h5"));
  go_on();
  saved.finish();
  EXPECT_TRUE(fs::exists(folder.checkpoints() / "step-00000001.h5"));
  EXPECT_THAT(text("metrics.jsonl"), HasSubstr("\"step\":1,"));
}

}  // namespace
}  // namespace convoy
