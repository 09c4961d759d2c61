// Traces of ranks come back as they were written, and a damaged line is named.
#include "io/run/trace_file.h"

#include <gtest/gtest.h>

#include "io/files/temporary_folder.h"
#include "tests/io/support/expect_error.h"
#include "tests/io/support/image_files.h"

namespace convoy {
namespace {

TEST(TraceFile, NamesTheDamagedLine) {
  const TemporaryFolder run;
  write_trace(run.path(), {0, 1, "host", 4, 100, {{"conv1", "layer", 4, 10, 20, 0}}});
  const auto traces = read_traces(run.path());
  ASSERT_EQ(traces.size(), 1U);
  ASSERT_EQ(traces.front().spans.size(), 1U);
  EXPECT_EQ(traces.front().spans.front().name, "conv1");

  const auto path = run.path() / "trace" / "rank-0.jsonl";
  const Bytes whole = read_bytes(path);
  const std::string text(whole.begin(), whole.end());
  const auto refused = [&](const std::string& content, const std::string& reason) {
    write_text(path, content);
    expect_error(ExitCode::bad_data, {reason}, [&] { static_cast<void>(read_traces(run.path())); });
  };
  refused("x" + text, "line 1 of ");
  refused(text + "x\n", "line 3 of ");
  refused(text + "{}\n", "line 3 of ");
  refused("", "is empty");
}

}  // namespace
}  // namespace convoy
