// Curves as columns, and traces as events on one clock.
#include <cmath>
#include <fstream>
#include <map>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "io/files/temporary_folder.h"
#include "io/run/metrics.h"
#include "launcher/curves_report.h"
#include "launcher/options.h"
#include "launcher/trace_report.h"
#include "tests/io/support/expect_error.h"

namespace convoy {
namespace {

TEST(CurvesJson, HasAColumnAMetric) {
  const TemporaryFolder folder;
  {
    JobOptions job;
    job.solver.batch = 32;
    std::ofstream(folder.path() / "config.ini") << render_job(job);
    MetricsFile file(folder.path() / "metrics.jsonl");
    file.write(TrainMetrics{.step = 10, .loss = 1.0 / 3, .ms = {.step = 600, .forward = 2}});
    file.write(TrainMetrics{.step = 30, .loss = std::nan(""), .ms = {.step = 1200}});
    file.write(EvalMetrics{.step = 30, .top1 = 0.5});
  }
  const auto json = curves_json({folder.path()});
  const auto& run = json["runs"][0];
  EXPECT_EQ(run["batch"], 32);
  EXPECT_EQ(run["step"].dump(), "[10,30]");
  EXPECT_EQ(run["loss"].dump(), "[0.333333,null]");
  EXPECT_EQ(run["minutes"].dump(), "[0.1,0.5]");  // 10 steps of 0.6 s, 20 of 1.2 s
  EXPECT_EQ(run["ms"]["forward"].dump(), "[2.0,0.0]");
  EXPECT_EQ(run["eval"]["top1"].dump(), "[0.5]");
  expect_error(ExitCode::bad_data, {"is not a run directory"},
               [&] { static_cast<void>(curves_json({folder.path() / "none"})); });
}

TEST(CurvesJson, NamesRunsByTheirFolders) {
  const TemporaryFolder folder;
  for (const char* run : {"a/first", "a/second", "b/second"}) {
    create_directories(folder.path() / run);
    std::ofstream(folder.path() / run / "config.ini") << render_job(JobOptions{});
    MetricsFile(folder.path() / run / "metrics.jsonl").write(TrainMetrics{.step = 1});
  }
  const auto a = folder.path() / "a";
  const auto b = folder.path() / "b";
  const auto runs = curves_json({a / "first" / "", a / "second", b / "." / "second"})["runs"];
  EXPECT_EQ(runs[0]["name"], "first");
  EXPECT_EQ(runs[1]["name"], (a / "second").string()) << "there are two of them";
  EXPECT_EQ(runs[2]["name"], (b / "." / "second").string());
}

TEST(ChromeTrace, LaysClocksOfHostsOverEachOther) {
  // Host b's clock is 1 s ahead; ranks 0 and 1 left the meeting at different times.
  constexpr std::int64_t ahead = 1'000'000'000;
  const std::vector<RankTrace> traces{
      {0, 3, "a", 1, 1000, {{"forward", "phase", 1, 3000, 5000, 0}}},
      {1, 3, "a", 1, 1500, {{"finish", "host", 1, 4000, 4500, 0}}},
      {2, 3, "b", 1, ahead + 1000, {{"sum", "collective", 1, ahead + 3000, ahead + 9000, 64}}}};
  const auto json = chrome_trace(traces);
  std::map<std::string, nlohmann::ordered_json> events;  // by phase and name
  for (const auto& event : json["traceEvents"])
    events[event["ph"].get<std::string>() + " " + event["name"].get<std::string>() +
           (event["ph"] == "M" ? std::to_string(event["pid"].get<int>()) : "")] = event;
  EXPECT_EQ(events["M process_name3"]["args"]["name"], "rank 2 on b");
  EXPECT_EQ(events["X forward"]["ts"], 0.0);
  EXPECT_EQ(events["X forward"]["dur"], 2.0);
  EXPECT_EQ(events["X forward"]["tid"], 1);
  EXPECT_EQ(events["X finish"]["ts"], 1.0) << "one clock a host";
  EXPECT_EQ(events["X finish"]["tid"], 5) << "no rank's steps have that number";
  EXPECT_EQ(events["b sum"]["ts"], 0.0);
  EXPECT_EQ(events["e sum"]["ts"], 6.0);
  EXPECT_EQ(events["b sum"]["id2"]["local"], "1");
  EXPECT_EQ(events["b sum"]["id2"], events["e sum"]["id2"]);
  EXPECT_EQ(events["b sum"]["args"]["bytes"], 64);
}

}  // namespace
}  // namespace convoy
