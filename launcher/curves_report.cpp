// Turns lines of metrics into columns, which take less room in a page.
#include "launcher/curves_report.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <string>

#include "core/error.h"
#include "io/run/read_metrics.h"
#include "launcher/assignments.h"
#include "launcher/options.h"

namespace convoy {
namespace {

using Json = nlohmann::ordered_json;

Json rounded(double value) {
  if (!std::isfinite(value)) return nullptr;
  return std::strtod(fmt::format("{:.6g}", value).c_str(), nullptr);
}

template <typename Line, typename Value>
Json column(const std::vector<Line>& lines, const Value& value) {
  Json values = Json::array();
  for (const Line& line : lines) values.push_back(value(line));
  return values;
}

// Of the steps so far, each taken to be as long as the mean of its line.
Json minutes(const std::vector<TrainMetrics>& lines) {
  double sum = 0;
  std::int64_t before = 0;
  return column(lines, [&](const TrainMetrics& line) {
    sum += line.ms.step * static_cast<double>(line.step - before) / 60'000;
    before = line.step;
    return rounded(sum);
  });
}

template <typename Line>
Json real(const std::vector<Line>& lines, double Line::*field) {
  return column(lines, [field](const Line& line) { return rounded(line.*field); });
}

Json times(const std::vector<TrainMetrics>& lines, double StepTimes::*field) {
  return column(lines, [field](const TrainMetrics& line) { return rounded(line.ms.*field); });
}

// By its own folder, or as it was given where several have that name.
std::vector<std::string> names_of(const std::vector<std::filesystem::path>& runs) {
  std::vector<std::string> names;
  for (const std::filesystem::path& run : runs) {
    const std::filesystem::path whole = (absolute(run) / "").lexically_normal().parent_path();
    names.push_back(whole.filename().string());
  }
  const std::vector<std::string> own = names;
  for (std::size_t i = 0; i < runs.size(); ++i)
    if (std::ranges::count(own, own[i]) > 1) names[i] = runs[i].string();
  return names;
}

}  // namespace

Json curves_json(const std::vector<std::filesystem::path>& runs) {
  Json all = Json::array();
  const std::vector<std::string> names = names_of(runs);
  for (std::size_t i = 0; i < runs.size(); ++i) {
    const std::filesystem::path& run = runs[i];
    const auto [train, eval] = read_metrics(run);
    const std::filesystem::path config = run / "config.ini";
    const JobOptions job = parse_job(read_text_file(config), config.string());
    const auto step_of = [](const auto& line) { return line.step; };
    all.push_back({{"name", names[i]},
                   {"strategy", job.dist.strategy},
                   {"recipe", job.recipe},
                   {"batch", job.solver.batch},
                   {"step", column(train, step_of)},
                   {"minutes", minutes(train)},
                   {"loss", real(train, &TrainMetrics::loss)},
                   {"top1", real(train, &TrainMetrics::top1)},
                   {"top5", real(train, &TrainMetrics::top5)},
                   {"lr", real(train, &TrainMetrics::lr)},
                   {"rate", real(train, &TrainMetrics::images_per_second)},
                   {"ms",
                    {{"step", times(train, &StepTimes::step)},
                     {"data_wait", times(train, &StepTimes::data_wait)},
                     {"forward", times(train, &StepTimes::forward)},
                     {"backward", times(train, &StepTimes::backward)},
                     {"comm_exposed", times(train, &StepTimes::comm_exposed)},
                     {"update", times(train, &StepTimes::update)}}},
                   {"eval",
                    {{"step", column(eval, step_of)},
                     {"loss", real(eval, &EvalMetrics::loss)},
                     {"top1", real(eval, &EvalMetrics::top1)},
                     {"top5", real(eval, &EvalMetrics::top5)}}}});
  }
  return {{"runs", all}};
}

}  // namespace convoy
