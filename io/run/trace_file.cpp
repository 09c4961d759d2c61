// A line that says whose trace it is, then a line a span.
#include "io/run/trace_file.h"

#include <fstream>

#include <nlohmann/json.hpp>

#include "core/error.h"
#include "io/files/durable.h"

namespace convoy {
namespace {

using Json = nlohmann::ordered_json;

constexpr const char* format_name = "convoy-trace/1";

std::filesystem::path path_of(const std::filesystem::path& run, int rank) {
  return run / "trace" / fmt::format("rank-{}.jsonl", rank);
}

TraceSpan span_of(const Json& line) {
  return {line.at("name"),     line.at("kind"),   line.at("step"),
          line.at("begin_ns"), line.at("end_ns"), line.at("bytes")};
}

RankTrace read_trace(const std::filesystem::path& run, int rank) {
  const std::filesystem::path path = path_of(run, rank);
  std::ifstream in(path, std::ios::binary);
  if (!in) {
    fail(ExitCode::bad_data,
         "{} cannot be read; a run leaves traces where it is trained with --run.trace-steps N",
         path.string());
  }
  RankTrace trace;
  std::int64_t count = 0;
  try {
    for (std::string text; std::getline(in, text);) {
      ++count;
      const Json line = Json::parse(text);
      if (count > 1) {
        trace.spans.push_back(span_of(line));
        continue;
      }
      if (line.at("format") != format_name) {
        fail(ExitCode::bad_data, "{} is not a trace of the format {}", path.string(), format_name);
      }
      trace = {line.at("rank"),       line.at("ranks"),      line.at("host"),
               line.at("first_step"), line.at("aligned_ns"), {}};
    }
  } catch (const Json::exception&) {
    fail(ExitCode::bad_data, "line {} of {} is not a line of a trace", count, path.string());
  }
  if (count == 0) fail(ExitCode::bad_data, "{} is empty", path.string());
  return trace;
}

}  // namespace

void write_trace(const std::filesystem::path& run, const RankTrace& trace) {
  const std::filesystem::path path = path_of(run, trace.rank);
  create_folders(path.parent_path());
  const Json head{{"format", format_name},          {"rank", trace.rank},
                  {"ranks", trace.ranks},           {"host", trace.host},
                  {"first_step", trace.first_step}, {"aligned_ns", trace.aligned_ns}};
  std::string text = head.dump() + '\n';
  for (const TraceSpan& span : trace.spans) {
    const Json line{{"name", span.name},         {"kind", span.kind},     {"step", span.step},
                    {"begin_ns", span.begin_ns}, {"end_ns", span.end_ns}, {"bytes", span.bytes}};
    text += line.dump() + '\n';
  }
  write_durably(path, text);
}

std::vector<RankTrace> read_traces(const std::filesystem::path& run) {
  std::vector<RankTrace> traces{read_trace(run, 0)};
  for (int rank = 1; rank < traces.front().ranks; ++rank) {
    traces.push_back(read_trace(run, rank));
    if (traces.back().ranks != traces.front().ranks ||
        traces.back().first_step != traces.front().first_step) {
      fail(ExitCode::bad_data,
           "the traces of ranks 0 and {} in {} are of different jobs; trace the run again", rank,
           run.string());
    }
  }
  return traces;
}

}  // namespace convoy
