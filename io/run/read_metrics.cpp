// Parses lines of JSON into the records that were written.
#include "io/run/read_metrics.h"

#include <fstream>
#include <limits>
#include <string>

#include <nlohmann/json.hpp>

#include "core/error.h"

namespace convoy {
namespace {

using Json = nlohmann::json;

double number(const Json& object, const char* key) {
  const Json& value = object.at(key);
  return value.is_null() ? std::numeric_limits<double>::quiet_NaN() : value.get<double>();
}

TrainMetrics train_line(const Json& line) {
  const Json& ms = line.at("ms");
  return {line.at("step"),
          line.at("epoch"),
          number(line, "loss"),
          number(line, "top1"),
          number(line, "top5"),
          number(line, "lr"),
          number(line, "images_per_second"),
          {number(ms, "step"), number(ms, "data_wait"), number(ms, "forward"),
           number(ms, "backward"), number(ms, "comm_exposed"), number(ms, "update")},
          line.at("comm_bytes")};
}

EvalMetrics eval_line(const Json& line) {
  return {line.at("step"),      line.at("epoch"), number(line, "loss"), number(line, "top1"),
          number(line, "top5"), line.at("views"), line.at("images")};
}

}  // namespace

RunMetrics read_metrics(const std::filesystem::path& run) {
  const std::filesystem::path path = run / "metrics.jsonl";
  std::ifstream in(path, std::ios::binary);
  if (!in) {
    fail(ExitCode::bad_data, "{} is not a run directory: {} cannot be read", run.string(),
         path.string());
  }
  RunMetrics metrics;
  std::int64_t count = 0;
  for (std::string text; std::getline(in, text) && !in.eof();) {
    ++count;
    try {
      const Json line = Json::parse(text);
      if (line.at("kind") == "eval") {
        metrics.eval.push_back(eval_line(line));
      } else if (line.at("kind") == "train") {
        metrics.train.push_back(train_line(line));
      }
    } catch (const Json::exception&) {
      fail(ExitCode::bad_data, "line {} of {} is not a line of metrics", count, path.string());
    }
  }
  if (metrics.train.empty()) {
    fail(ExitCode::bad_data, "{} holds no training step yet", path.string());
  }
  return metrics;
}

}  // namespace convoy
