// metrics.jsonl: keys and their order, exact numbers, numbers JSON does not know, and the cut.
#include "io/run/metrics.h"

#include <filesystem>
#include <fstream>
#include <limits>
#include <sstream>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "core/error.h"
#include "io/files/temporary_folder.h"

namespace convoy {
namespace {

std::string content_of(const std::filesystem::path& path) {
  std::ostringstream content;
  content << std::ifstream(path).rdbuf();
  return content.str();
}

std::vector<std::string> lines_of(const std::filesystem::path& path) {
  std::vector<std::string> lines;
  std::ifstream in(path);
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

TrainMetrics some_step(std::int64_t step) {
  return {
      .step = step,
      .epoch = 3,
      .loss = 6.9077552789821368,
      .top1 = 1.0 / 128,
      .top5 = 0.1 + 0.2,
      .lr = 0.01,
      .images_per_second = 41.25,
      .ms =
          {.step = 1, .data_wait = 2, .forward = 3, .backward = 4, .comm_exposed = 5, .update = 6},
      .comm_bytes = 1234567890123};
}

TEST(Metrics, TrainLineHasTheDocumentedKeysInOrder) {
  const TemporaryFolder folder;
  MetricsFile(folder.path() / "m.jsonl").write(some_step(120));
  EXPECT_EQ(content_of(folder.path() / "m.jsonl"),
            R"({"kind":"train","step":120,"epoch":3,"loss":6.907755278982137,"top1":0.0078125,)"
            R"("top5":0.30000000000000004,"lr":0.01,"images_per_second":41.25,)"
            R"("ms":{"step":1.0,"data_wait":2.0,"forward":3.0,"backward":4.0,)"
            R"("comm_exposed":5.0,"update":6.0},"comm_bytes":1234567890123})"
            "\n");
}

TEST(Metrics, EvalLineHasTheDocumentedKeysInOrder) {
  const TemporaryFolder folder;
  MetricsFile(folder.path() / "m.jsonl")
      .write({.step = 7,
              .epoch = 1,
              .loss = 2.5,
              .top1 = 0.5,
              .top5 = 1,
              .views = 10,
              .images = 50000});
  EXPECT_EQ(content_of(folder.path() / "m.jsonl"),
            R"({"kind":"eval","step":7,"epoch":1,"loss":2.5,"top1":0.5,"top5":1.0,"views":10,)"
            R"("images":50000})"
            "\n");
}

TEST(Metrics, NumbersReadBackExactly) {
  const TemporaryFolder folder;
  const std::vector<double> losses = {1.0 / 3, 5e-324, 1.7976931348623157e308, 6.02214076e23,
                                      -0.1,    0.0,    0x1.fffffffffffffp-1};
  {
    MetricsFile file(folder.path() / "m.jsonl");
    for (const double loss : losses) file.write(TrainMetrics{.loss = loss});
  }
  const auto lines = lines_of(folder.path() / "m.jsonl");
  ASSERT_EQ(lines.size(), losses.size());
  for (std::size_t i = 0; i < losses.size(); ++i) {
    EXPECT_EQ(nlohmann::json::parse(lines[i])["loss"].get<double>(), losses[i]);
  }
}

TEST(Metrics, WhatIsNotFiniteIsNull) {
  const TemporaryFolder folder;
  MetricsFile(folder.path() / "m.jsonl")
      .write(TrainMetrics{.loss = std::numeric_limits<double>::quiet_NaN(),
                          .lr = std::numeric_limits<double>::infinity()});
  const auto json = nlohmann::json::parse(content_of(folder.path() / "m.jsonl"));
  EXPECT_TRUE(json["loss"].is_null());
  EXPECT_TRUE(json["lr"].is_null());
}

TEST(Metrics, AppendsAndFlushesEveryLine) {
  const TemporaryFolder folder;
  const auto path = folder.path() / "m.jsonl";
  MetricsFile(path).write(some_step(1));
  MetricsFile file(path);
  file.write(some_step(2));
  EXPECT_EQ(lines_of(path).size(), 2u);
  file.write(EvalMetrics{});
  EXPECT_EQ(lines_of(path).size(), 3u);
}

TEST(Metrics, AFullDiskAndAMissingFolderAreNamed) {
  const TemporaryFolder folder;
  try {
    MetricsFile(folder.path() / "missing" / "m.jsonl");
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ExitCode::resource);
    EXPECT_NE(std::string(error.what()).find("No such file"), std::string::npos) << error.what();
  }
  try {
    MetricsFile("/dev/full").write(some_step(1));
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ExitCode::resource);
    EXPECT_NE(std::string(error.what()).find("No space left"), std::string::npos) << error.what();
  }
}

TEST(CutMetrics, KeepsLinesUpToTheStep) {
  const TemporaryFolder folder;
  const auto path = folder.path() / "m.jsonl";
  cut_metrics(path, 5);
  EXPECT_FALSE(std::filesystem::exists(path));
  {
    MetricsFile file(path);
    for (std::int64_t step = 1; step <= 4; ++step) file.write(some_step(step));
    file.write(EvalMetrics{.step = 4});
  }
  std::ofstream(path, std::ios::app) << R"({"kind":"train","ste)";
  const auto before = lines_of(path);
  EXPECT_TRUE(has_evaluation(path, 4));
  EXPECT_FALSE(has_evaluation(path, 3));
  cut_metrics(path, 5);
  EXPECT_EQ(lines_of(path), std::vector<std::string>(before.begin(), before.end() - 1));
  cut_metrics(path, 4);  // its evaluation comes after its checkpoint
  EXPECT_EQ(lines_of(path), std::vector<std::string>(before.begin(), before.end() - 2));
  EXPECT_FALSE(has_evaluation(path, 4));
  cut_metrics(path, 2);
  EXPECT_EQ(lines_of(path), std::vector<std::string>(before.begin(), before.begin() + 2));
  MetricsFile(path).write(some_step(3));
  EXPECT_EQ(lines_of(path), std::vector<std::string>(before.begin(), before.begin() + 3));
  cut_metrics(path, 0);
  EXPECT_EQ(content_of(path), "");
}

}  // namespace
}  // namespace convoy
