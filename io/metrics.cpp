// Writes metrics.jsonl, and cuts it where a run resumes.
#include "io/metrics.h"

#include <cerrno>
#include <cstring>
#include <sstream>

#include <nlohmann/json.hpp>

#include "core/error.h"
#include "io/durable.h"

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

void cut_metrics(const std::filesystem::path& path, std::int64_t step) {
  if (!std::filesystem::exists(path)) return;
  errno = 0;
  std::ifstream in(path, std::ios::binary);
  std::ostringstream content;
  content << in.rdbuf();
  if (!in) fail(ExitCode::resource, "cannot read {}: {}", path.string(), std::strerror(errno));

  const std::string text = content.str();
  std::string kept;
  std::size_t begin = 0;
  for (std::size_t end = text.find('\n'); end != std::string::npos; end = text.find('\n', begin)) {
    const std::string line = text.substr(begin, end - begin);
    const Json json = Json::parse(line, nullptr, false);
    const bool whole = json.is_object() && json.contains("step") && json["step"].is_number();
    if (whole && json["step"].get<std::int64_t>() <= step) kept += line + '\n';
    begin = end + 1;
  }
  if (kept != text) write_durably(path, kept);
}

}  // namespace convoy
