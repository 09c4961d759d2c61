// What a rank did in some steps, as spans of time: a file of JSON lines a rank, in the run
// directory.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace convoy {

struct TraceSpan {
  std::string name;           // "conv1", "backward"
  std::string kind;           // phase, forward, backward, host, collective
  std::int64_t step = 0;      // counted from 1
  std::int64_t begin_ns = 0;  // since 1970, by the rank's clock
  std::int64_t end_ns = 0;
  std::int64_t bytes = 0;  // payload of a collective
};

struct RankTrace {
  int rank = 0;
  int ranks = 1;
  std::string host;
  std::int64_t first_step = 0;
  std::int64_t aligned_ns = 0;  // when all ranks had met, by the rank's clock
  std::vector<TraceSpan> spans;
};

// RUN/trace/rank-N.jsonl, whose folder is made. Throws Error(resource).
void write_trace(const std::filesystem::path& run, const RankTrace& trace);

// Of all ranks, by rank. Throws Error(bad_data) where there is none, one is damaged or missing, or
// ranks traced different steps.
[[nodiscard]] std::vector<RankTrace> read_traces(const std::filesystem::path& run);

}  // namespace convoy
