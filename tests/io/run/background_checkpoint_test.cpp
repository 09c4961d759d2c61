// Checkpoints on a thread of their own: whole in the end, or absent with the reason.
#include "io/run/background_checkpoint.h"

#include <chrono>
#include <limits>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.h"
#include "io/files/temporary_folder.h"

namespace convoy {
namespace {

namespace fs = std::filesystem;

const Shape shape{6, 1, 1, 4};
const std::vector<CheckpointTensor> tensors{{"fc8", "weight", shape},
                                            {"fc8", "bias", {6, 1, 1, 1}}};

std::vector<float> some_values() {
  std::vector<float> values;
  for (int i = 0; i < 24; ++i) values.push_back(static_cast<float>(i));
  return values;
}

void wait_for(BackgroundCheckpoint& checkpoint) {
  while (!checkpoint.done()) std::this_thread::sleep_for(std::chrono::milliseconds(1));
}

TEST(BackgroundCheckpoint, IsWholeWhenItSaysSo) {
  const TemporaryFolder folder;
  const fs::path path = folder.path() / "step-1.h5";
  const std::vector<float> values = some_values();
  std::atomic<bool> written{false};
  BackgroundCheckpoint checkpoint(path, {}, tensors);
  checkpoint.write(0, {2, 6}, values.data() + 8);
  checkpoint.write(0, {0, 2}, values.data(), &written);
  checkpoint.write(1, {0, 6}, values.data());
  EXPECT_FALSE(checkpoint.done());
  checkpoint.finish();
  wait_for(checkpoint);
  EXPECT_TRUE(written);
  std::vector<float> read(24);
  CheckpointReader(path).read("fc8", "weight", shape, {0, 6}, read.data());
  EXPECT_EQ(read, values);
}

TEST(BackgroundCheckpoint, IsStillWrittenWhenItWasFinished) {
  const TemporaryFolder folder;
  const fs::path path = folder.path() / "step-1.h5";
  const std::vector<float> values = some_values();
  {
    BackgroundCheckpoint checkpoint(path, {}, tensors);
    checkpoint.write(0, {0, 6}, values.data());
    checkpoint.write(1, {0, 6}, values.data());
    checkpoint.finish();
  }
  EXPECT_EQ(CheckpointReader(path).entries().size(), 2u);
}

TEST(BackgroundCheckpoint, LeavesNothingWhenItWasNot) {
  const TemporaryFolder folder;
  const std::vector<float> values = some_values();
  {
    BackgroundCheckpoint checkpoint(folder.path() / "step-1.h5", {}, tensors);
    checkpoint.write(0, {0, 6}, values.data());
  }
  EXPECT_TRUE(fs::is_empty(folder.path()));
}

TEST(BackgroundCheckpoint, HasItsNameOnlyAfterWhatMustComeFirst) {
  const TemporaryFolder folder;
  const fs::path path = folder.path() / "step-1.h5";
  const std::vector<float> values = some_values();
  bool too_early = false;
  BackgroundCheckpoint checkpoint(path, {}, tensors, [&] { too_early = fs::exists(path); });
  checkpoint.write(0, {0, 6}, values.data());
  checkpoint.write(1, {0, 6}, values.data());
  checkpoint.finish();
  wait_for(checkpoint);
  EXPECT_FALSE(too_early);
  EXPECT_TRUE(fs::exists(path));
}

TEST(BackgroundCheckpoint, LeavesNothingWhereThatFailed) {
  const TemporaryFolder folder;
  const std::vector<float> values = some_values();
  BackgroundCheckpoint checkpoint(folder.path() / "step-1.h5", {}, tensors,
                                  [] { fail(ExitCode::resource, "the disk is full"); });
  checkpoint.write(0, {0, 6}, values.data());
  checkpoint.write(1, {0, 6}, values.data());
  checkpoint.finish();
  try {
    wait_for(checkpoint);
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_STREQ(error.what(), "the disk is full");
  }
  EXPECT_TRUE(fs::is_empty(folder.path()));
}

TEST(BackgroundCheckpoint, RefusesWhatIsNotFinite) {
  const TemporaryFolder folder;
  std::vector<float> values = some_values();
  values[17] = std::numeric_limits<float>::quiet_NaN();
  BackgroundCheckpoint checkpoint(folder.path() / "step-1.h5", {}, tensors);
  checkpoint.write(0, {0, 6}, values.data());
  checkpoint.finish();
  try {
    wait_for(checkpoint);
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ExitCode::diverged);
    EXPECT_THAT(error.what(), testing::HasSubstr("the weight of fc8 is no longer finite"));
  }
  EXPECT_TRUE(fs::is_empty(folder.path()));
}

TEST(BackgroundCheckpoint, SaysWhyItCannotBeMade) {
  const TemporaryFolder folder;
  BackgroundCheckpoint checkpoint(folder.path() / "missing" / "step-1.h5", {}, tensors);
  checkpoint.finish();
  try {
    wait_for(checkpoint);
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ExitCode::resource);
    EXPECT_THAT(error.what(), testing::HasSubstr("No such file or directory"));
  }
}

}  // namespace
}  // namespace convoy
