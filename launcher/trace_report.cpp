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

constexpr int kSteps = 0;  // tracks of a rank
constexpr int kHost = 1;

Json named(const char* what, int rank, int track, const std::string& name) {
  return {{"ph", "M"}, {"name", what}, {"pid", rank}, {"tid", track}, {"args", {{"name", name}}}};
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
    events.push_back(named("process_name", trace.rank, kSteps,
                           fmt::format("rank {} on {}", trace.rank, trace.host)));
    events.push_back(named("thread_name", trace.rank, kSteps, "steps"));
    events.push_back(named("thread_name", trace.rank, kHost, "host"));
    events.push_back({{"ph", "M"},
                      {"name", "process_sort_index"},
                      {"pid", trace.rank},
                      {"args", {{"sort_index", trace.rank}}}});
    std::int64_t number = 0;
    for (const TraceSpan& span : trace.spans) {
      Json event{{"name", span.name},
                 {"cat", span.kind},
                 {"pid", trace.rank},
                 {"tid", span.kind == "host" ? kHost : kSteps},
                 {"ts", microseconds(span.begin_ns)}};
      if (span.kind != "collective") {
        event["ph"] = "X";
        event["dur"] = static_cast<double>(span.end_ns - span.begin_ns) / 1000;
        event["args"] = {{"step", span.step}};
        events.push_back(event);
        continue;
      }
      event["ph"] = "b";
      event["id"] = fmt::format("{}-{}", trace.rank, ++number);
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
