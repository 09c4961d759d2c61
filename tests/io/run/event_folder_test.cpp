// Event files: what is in them, and that a run which resumes leaves neither overlap nor gap.
#include "io/run/event_folder.h"

#include <chrono>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <tensorboard.pb.h>

#include "core/error.h"
#include "io/files/temporary_folder.h"
#include "io/run/event_names.h"
#include "io/run/record_file.h"

namespace convoy {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;

class EventFiles : public testing::Test {
 protected:
  // All events, in the order in which TensorBoard reads them.
  [[nodiscard]] std::vector<tensorboard::Event> events() const {
    std::vector<tensorboard::Event> events;
    for (const fs::path& file : event_files(folder_)) {
      RecordReader reader(file);
      for (std::string record; reader.next(record);) {
        EXPECT_TRUE(events.emplace_back().ParseFromString(record));
      }
      EXPECT_EQ(reader.end(), fs::file_size(file));
    }
    return events;
  }
  // "STEP TAG" of the first value of each that has one.
  [[nodiscard]] std::vector<std::string> shown() const {
    std::vector<std::string> shown;
    for (const tensorboard::Event& event : events()) {
      if (event.has_summary())
        shown.push_back(fmt::format("{} {}", event.step(), event.summary().value(0).tag()));
    }
    return shown;
  }
  // A process that trains from one step to another, as the trainer does.
  void train(std::int64_t from, std::int64_t to) const {
    EventFolder folder(folder_, from);
    folder.write_config(from, "[run]\n");
    if (from == 0) folder.write(0, {TaggedHistogram{"weight/conv1", {}}});
    for (std::int64_t step = from + 1; step <= to; ++step) {
      folder.write(TrainMetrics{.step = step});
      if (step % 2 == 0) folder.write(step, {TaggedHistogram{"weight/conv1", {}}});
      if (step % 2 == 0) folder.write(EvalMetrics{.step = step});
    }
  }
  TemporaryFolder temporary_;
  fs::path folder_ = temporary_.path() / "tensorboard";
};

TEST_F(EventFiles, BeginWithVersionAndSession) {
  EventFolder folder(folder_, 4);
  EXPECT_FALSE(fs::exists(folder_));  // nothing to say yet
  folder.write(TrainMetrics{.step = 5, .loss = 0.25, .ms = {.update = 3}});
  const auto all = events();
  ASSERT_EQ(all.size(), 3u);
  EXPECT_EQ(all[0].file_version(), "brain.Event:2");
  EXPECT_EQ(all[1].session_log().status(), 1);
  EXPECT_EQ(all[1].step(), 5);
  EXPECT_EQ(all[2].step(), 5);
  EXPECT_GT(all[2].wall_time(), 1.7e9);
  EXPECT_EQ(all[2].summary().value(0).tag(), "loss/train");
  EXPECT_EQ(all[2].summary().value(0).simple_value(), 0.25F);
  EXPECT_EQ(all[2].summary().value(12).tag(), "ms/update");
  EXPECT_EQ(all[2].summary().value(12).simple_value(), 3.0F);
}

TEST_F(EventFiles, CarryTheTimeAtWhichTheyWereMade) {
  EventFolder folder(folder_, 0);
  folder.made_at(
      std::chrono::system_clock::time_point(std::chrono::milliseconds(1'700'000'000'250)));
  folder.write(TrainMetrics{.step = 1});
  EXPECT_NEAR(events().back().wall_time(), 1'700'000'000.25, 1e-4);
}

TEST_F(EventFiles, HistogramsHaveTheirCountsAndNoEmptyNeighbours) {
  Histogram histogram;
  const Moments moments = count(std::vector<float>{-1, 0, 0.5F, 0.5F, 0.55F, 100}, histogram);
  histogram.sum = moments.sum;
  histogram.squares = moments.squares;
  EventFolder(folder_, 0).write(7, {TaggedHistogram{"weight/conv1", histogram}});
  const auto all = events();
  const tensorboard::HistogramProto& histo = all.back().summary().value(0).histo();
  EXPECT_EQ(histo.num(), 6);
  EXPECT_EQ(histo.min(), -1);
  EXPECT_EQ(histo.max(), 100);
  EXPECT_DOUBLE_EQ(histo.sum(), 100.55 + static_cast<double>(0.55F) - 0.55);
  EXPECT_THAT(histo.bucket(), ElementsAre(1, 0, 1, 0, 3, 0, 1));
  EXPECT_THAT(histo.bucket_limit(),
              ElementsAre(-0.9375, 0, lower_edge(bin_of(0.0F) + 1), 0.5, 0.5625, 96, 104));
}

TEST_F(EventFiles, PicturesAreWholePngs) {
  const std::vector<std::uint8_t> pixels{255, 0, 0, 0, 255, 0, 0, 0, 255,
                                         9,   9, 9, 1, 2,   3, 4, 5, 6};
  EventFolder(folder_, 0).write(0, {TaggedPicture{"inputs/0", pixels.data(), 2, 3}});
  const auto all = events();
  const tensorboard::Image& image = all.back().summary().value(0).image();
  EXPECT_EQ(image.height(), 2);
  EXPECT_EQ(image.width(), 3);
  EXPECT_EQ(image.colorspace(), 3);
  EXPECT_EQ(image.encoded_image_string().substr(1, 3), "PNG");
}

TEST_F(EventFiles, ConfigurationIsATextThatKeepsItsLines) {
  EventFolder(folder_, 0).write_config(0, "[run]\nsteps = 3\n");
  const auto all = events();
  const tensorboard::Summary::Value& value = all.back().summary().value(0);
  EXPECT_EQ(value.metadata().plugin_data().plugin_name(), "text");
  EXPECT_EQ(value.tensor().dtype(), 7);
  EXPECT_EQ(value.tensor().string_val(0), "```\n[run]\nsteps = 3\n```\n");
}

TEST_F(EventFiles, AResumedRunHasEveryEventOnce) {
  train(0, 6);
  const auto whole = shown();
  for (const std::int64_t at : {0, 1, 2, 3, 4, 5}) {
    fs::remove_all(folder_);
    train(0, 6);
    cut_events(folder_, at);
    train(at, 6);
    auto resumed = shown();
    std::erase(resumed, fmt::format("{} config", at));
    auto expected = whole;
    std::erase(expected, fmt::format("{} config", at));
    // The evaluation at the step comes again once training goes on (Trainer::run).
    std::erase(expected, fmt::format("{} loss/eval", at));
    EXPECT_EQ(resumed, expected) << "at step " << at;
  }
}

TEST_F(EventFiles, RunsResumedOftenKeepTheirOrder) {
  train(0, 4);
  cut_events(folder_, 3);
  train(3, 8);
  cut_events(folder_, 6);
  train(6, 8);
  cut_events(folder_, 2);  // an older checkpoint: the later files go
  EXPECT_EQ(event_files(folder_).size(), 1u);
  train(2, 3);
  EXPECT_THAT(shown(), ElementsAre("0 config", "0 weight/conv1", "1 loss/train", "2 loss/train",
                                   "2 weight/conv1", "2 config", "3 loss/train"));
  EXPECT_EQ(event_files(folder_).size(), 2u);
}

TEST_F(EventFiles, HalfAnEventIsCut) {
  train(0, 3);
  const auto before = shown();
  const fs::path file = event_files(folder_).front();
  std::ofstream(file, std::ios::app | std::ios::binary) << framed("event").substr(0, 9);
  cut_events(folder_, 9);
  EXPECT_EQ(shown(), before);
}

TEST_F(EventFiles, NumbersInNamesMayBeOfAnySize) {
  train(0, 1);
  fs::rename(event_files(folder_).front(),
             folder_ / "events.out.tfevents.9223372036854775807.convoy");
  train(1, 2);
  EXPECT_EQ(event_files(folder_).size(), 2u);
}

TEST_F(EventFiles, OthersFilesAreLeftAlone) {
  cut_events(folder_, 1);  // no folder
  EXPECT_FALSE(fs::exists(folder_));
  fs::create_directories(folder_);
  std::ofstream(folder_ / "events.out.tfevents.1.host") << "not ours";
  cut_events(folder_, 0);
  EXPECT_TRUE(fs::exists(folder_ / "events.out.tfevents.1.host"));
}

TEST_F(EventFiles, AFolderThatCannotBeMadeIsNamed) {
  std::ofstream(folder_) << "a file";
  try {
    EventFolder(folder_, 0).write(TrainMetrics{});
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ExitCode::resource);
    EXPECT_NE(std::string(error.what()).find(folder_.string()), std::string::npos);
  }
}

}  // namespace
}  // namespace convoy
