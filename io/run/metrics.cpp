// Writes metrics.jsonl, and cuts it where a run resumes.
#include "io/run/metrics.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <optional>
#include <sstream>
#include <vector>

#include <nlohmann/json.hpp>

#include "core/error.h"
#include "io/files/durable.h"

namespace convoy {

using Json = nlohmann::ordered_json;  // keys stay in the order of the README

MetricsFile::MetricsFile(const std::filesystem::path& path) : path_(path) {
  errno = 0;
  out_.open(path, std::ios::app);
  if (!out_) {
    fail(ExitCode::resource, "cannot open {}: {}", path.string(), std::strerror(errno));
  }
}

void MetricsFile::write(const TrainMetrics& metrics) {
  const Json json = {{"kind", "train"},
                     {"step", metrics.step},
                     {"epoch", metrics.epoch},
                     {"loss", metrics.loss},
                     {"top1", metrics.top1},
                     {"top5", metrics.top5},
                     {"lr", metrics.lr},
                     {"images_per_second", metrics.images_per_second},
                     {"ms",
                      {{"step", metrics.ms.step},
                       {"data_wait", metrics.ms.data_wait},
                       {"forward", metrics.ms.forward},
                       {"backward", metrics.ms.backward},
                       {"comm_exposed", metrics.ms.comm_exposed},
                       {"update", metrics.ms.update}}},
                     {"comm_bytes", metrics.comm_bytes}};
  line(json.dump());
}

void MetricsFile::write(const EvalMetrics& metrics) {
  const Json json = {{"kind", "eval"},         {"step", metrics.step},    {"epoch", metrics.epoch},
                     {"loss", metrics.loss},   {"top1", metrics.top1},    {"top5", metrics.top5},
                     {"views", metrics.views}, {"images", metrics.images}};
  line(json.dump());
}

void MetricsFile::line(const std::string& text) {
  errno = 0;
  out_ << text << '\n' << std::flush;
  if (!out_) {
    fail(ExitCode::resource, "cannot write to {}: {}", path_.string(), std::strerror(errno));
  }
}

namespace {

struct Line {
  std::string text;
  std::optional<std::int64_t> step;  // none: not a whole line of metrics
  bool evaluation = false;
};

std::vector<Line> lines_of(const std::filesystem::path& path) {
  std::vector<Line> lines;
  if (!std::filesystem::exists(path)) return lines;
  errno = 0;
  std::ifstream in(path, std::ios::binary);
  std::ostringstream content;
  if (in.peek() != std::ifstream::traits_type::eof()) content << in.rdbuf();
  if (in.bad() || !in.is_open()) {
    fail(ExitCode::resource, "cannot read {}: {}", path.string(), std::strerror(errno));
  }
  std::istringstream text(content.str());
  for (std::string line; std::getline(text, line);) {
    const Json json = text.eof() ? Json() : Json::parse(line, nullptr, false);
    Line& one = lines.emplace_back(Line{std::move(line), std::nullopt});
    if (!json.is_object() || !json.contains("step") || !json["step"].is_number()) continue;
    one.step = json["step"].get<std::int64_t>();
    one.evaluation = json.contains("kind") && json["kind"] == "eval";
  }
  return lines;
}

}  // namespace

void cut_metrics(const std::filesystem::path& path, std::int64_t step) {
  std::string kept;
  bool cut = false;
  for (const Line& line : lines_of(path)) {
    const bool stays = line.step && (line.evaluation ? *line.step < step : *line.step <= step);
    if (stays) kept += line.text + '\n';
    cut = cut || !stays;
  }
  if (cut) write_durably(path, kept);
}

bool has_evaluation(const std::filesystem::path& path, std::int64_t step) {
  return std::ranges::any_of(
      lines_of(path), [&](const Line& line) { return line.evaluation && line.step == step; });
}

}  // namespace convoy
