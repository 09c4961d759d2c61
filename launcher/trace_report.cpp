// Shifts clocks, then writes an event a span.
#include "launcher/trace_report.h"

#include <algorithm>
#include <limits>
#include <map>
#include <string>

#include <fmt/format.h>

namespace convoy {
namespace {

using Json = nlohmann::ordered_json;

// When its ranks had met, by each host's clock: the first rank to leave is the nearest to it.
std::map<std::string, std::int64_t> meetings(const std::vector<RankTrace>& traces) {
  std::map<std::string, std::int64_t> met;
  for (const RankTrace& trace : traces) {
    const auto [at, added] = met.emplace(trace.host, trace.aligned_ns);
    if (!added) at->second = std::min(at->second, trace.aligned_ns);
  }
  return met;
}

// How a rank and its tracks are numbered. Perfetto takes a thread's number for that of the whole
// trace, and process and thread 0 for the kernel's, whose spans it lays into each other.
struct Numbers {
  explicit Numbers(const RankTrace& trace)
      : process(trace.rank + 1), steps(process), host(trace.ranks + trace.rank + 1) {}

  int process;
  int steps;
  int host;
};

Json about(const char* what, const Numbers& numbers, int track, const Json& arguments) {
  return {
      {"ph", "M"}, {"name", what}, {"pid", numbers.process}, {"tid", track}, {"args", arguments}};
}

}  // namespace

Json chrome_trace(const std::vector<RankTrace>& traces) {
  const auto met = meetings(traces);
  std::int64_t first = std::numeric_limits<std::int64_t>::max();
  for (const RankTrace& trace : traces)
    for (const TraceSpan& span : trace.spans)
      first = std::min(first, span.begin_ns - met.at(trace.host));

  Json events = Json::array();
  for (const RankTrace& trace : traces) {
    const std::int64_t zero = met.at(trace.host) + first;
    const auto microseconds = [zero](std::int64_t ns) {
      return static_cast<double>(ns - zero) / 1000;
    };
    const Numbers numbers(trace);
    const std::string name = fmt::format("rank {} on {}", trace.rank, trace.host);
    events.push_back(about("process_name", numbers, numbers.steps, {{"name", name}}));
    events.push_back(
        about("process_sort_index", numbers, numbers.steps, {{"sort_index", trace.rank}}));
    events.push_back(about("thread_name", numbers, numbers.steps, {{"name", "steps"}}));
    events.push_back(about("thread_name", numbers, numbers.host, {{"name", "host"}}));
    std::int64_t number = 0;
    for (const TraceSpan& span : trace.spans) {
      Json event{{"name", span.name},
                 {"cat", span.kind},
                 {"pid", numbers.process},
                 {"tid", span.kind == "host" ? numbers.host : numbers.steps},
                 {"ts", microseconds(span.begin_ns)}};
      if (span.kind != "collective") {
        event["ph"] = "X";
        event["dur"] = static_cast<double>(span.end_ns - span.begin_ns) / 1000;
        event["args"] = {{"step", span.step}};
        events.push_back(event);
        continue;
      }
      event["ph"] = "b";
      event["id2"] = {{"local", fmt::format("{}", ++number)}};  // of this process
      event["args"] = {{"step", span.step}, {"bytes", span.bytes}};
      events.push_back(event);
      event["ph"] = "e";
      event["ts"] = microseconds(span.end_ns);
      event.erase("args");
      events.push_back(event);
    }
  }
  return {{"displayTimeUnit", "ms"}, {"traceEvents", events}};
}

}  // namespace convoy
