// Metrics read back as they were written; traces of ranks belong together.
#include "io/run/read_metrics.h"

#include <cmath>
#include <fstream>
#include <limits>

#include <gtest/gtest.h>

#include "io/files/temporary_folder.h"
#include "io/run/trace_file.h"
#include "tests/io/support/expect_error.h"
#include "tests/io/support/image_files.h"

namespace convoy {
namespace {

TEST(ReadMetrics, GivesWhatWasWritten) {
  const TemporaryFolder folder;
  const auto path = folder.path() / "metrics.jsonl";
  {
    MetricsFile file(path);
    file.write(TrainMetrics{.step = 20, .loss = 0.1, .top1 = 0.2, .lr = 3, .ms = {.update = 7}});
    file.write(EvalMetrics{.step = 20, .loss = 2.5, .top5 = 0.75, .views = 10, .images = 9});
    file.write(TrainMetrics{.step = 40, .loss = std::numeric_limits<double>::infinity()});
  }
  std::ofstream(path, std::ios::app) << R"({"kind":"train","step":60,"lo)";  // being written
  const RunMetrics metrics = read_metrics(folder.path());
  ASSERT_EQ(metrics.train.size(), 2u);
  EXPECT_EQ(metrics.train[0].step, 20);
  EXPECT_EQ(metrics.train[0].loss, 0.1);
  EXPECT_EQ(metrics.train[0].ms.update, 7);
  EXPECT_TRUE(std::isnan(metrics.train[1].loss));
  ASSERT_EQ(metrics.eval.size(), 1u);
  EXPECT_EQ(metrics.eval[0].top5, 0.75);
  EXPECT_EQ(metrics.eval[0].views, 10);
}

TEST(ReadMetrics, RefusesWhatIsNoRun) {
  const TemporaryFolder folder;
  const auto read = [&] { static_cast<void>(read_metrics(folder.path())); };
  expect_error(ExitCode::bad_data, {"is not a run directory"}, read);
  write_text(folder.path() / "metrics.jsonl", "");
  expect_error(ExitCode::bad_data, {"holds no training step yet"}, read);
  for (const char* line :
       {"{", "[]", "{\"kind\":\"train\"}", "{\"kind\":\"eval\",\"step\":\"x\"}"}) {
    write_text(folder.path() / "metrics.jsonl", std::string(line) + "\n");
    expect_error(ExitCode::bad_data, {"line 1 of ", "is not a line of metrics"}, read);
  }
}

TEST(TraceFile, ReadsBackByRank) {
  const TemporaryFolder folder;
  const RankTrace first{0, 2, "a", 5, 100, {{"conv1", "forward", 5, 110, 120, 0}}};
  RankTrace second{1, 2, "b", 5, 90, {{"gradients", "collective", 6, 130, 150, 4096}}};
  write_trace(folder.path(), first);
  const auto read = [&] { static_cast<void>(read_traces(folder.path())); };
  expect_error(ExitCode::bad_data, {"rank-1.jsonl cannot be read", "--run.trace-steps"}, read);
  write_trace(folder.path(), second);
  const std::vector<RankTrace> traces = read_traces(folder.path());
  ASSERT_EQ(traces.size(), 2u);
  EXPECT_EQ(traces[1].host, "b");
  EXPECT_EQ(traces[1].aligned_ns, 90);
  ASSERT_EQ(traces[1].spans.size(), 1u);
  EXPECT_EQ(traces[1].spans[0].name, "gradients");
  EXPECT_EQ(traces[1].spans[0].bytes, 4096);
  EXPECT_EQ(traces[0].spans[0].begin_ns, 110);

  second.first_step = 9;
  write_trace(folder.path(), second);
  expect_error(ExitCode::bad_data, {"ranks 0 and 1", "trace the run again"}, read);
  write_text(folder.path() / "trace" / "rank-1.jsonl", "{}\n");
  expect_error(ExitCode::bad_data, {"line 1 of "}, read);
  write_text(folder.path() / "trace" / "rank-1.jsonl", "");
  expect_error(ExitCode::bad_data, {"is empty"}, read);
}

}  // namespace
}  // namespace convoy
