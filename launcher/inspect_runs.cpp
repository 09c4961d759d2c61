// What `convoy inspect` says about runs: one line each, and how far their losses agree.
#include <algorithm>
#include <cmath>
#include <fstream>
#include <limits>
#include <map>
#include <optional>

#include "io/run/read_metrics.h"
#include "launcher/inspect.h"
#include "launcher/options.h"
#include "launcher/table.h"

namespace convoy {
namespace {

namespace fs = std::filesystem;

struct RunSummary {
  std::string name;
  std::string strategy;
  std::map<std::int64_t, double> losses;  // by step
  std::optional<double> top1;             // of the last evaluation
  std::vector<double> images_per_second;  // of the logged windows
  std::vector<double> step_ms;
  std::vector<double> exposed_ms;
  std::int64_t comm_bytes = 0;
};

double median(std::vector<double> values) {
  if (values.empty()) return 0;
  std::ranges::sort(values);
  return values[values.size() / 2];
}

std::string strategy_of(const fs::path& run) {
  std::ifstream in(run / "config.ini");
  const std::string text{std::istreambuf_iterator<char>(in), {}};
  return parse_job(text, (run / "config.ini").string()).dist.strategy;
}

RunSummary summarise(const fs::path& run) {
  const RunMetrics metrics = read_metrics(run);
  RunSummary summary;
  summary.name = run.string();
  summary.strategy = strategy_of(run);
  for (const TrainMetrics& line : metrics.train) {
    summary.losses[line.step] = line.loss;
    summary.images_per_second.push_back(line.images_per_second);
    summary.step_ms.push_back(line.ms.step);
    summary.exposed_ms.push_back(line.ms.comm_exposed);
    summary.comm_bytes = line.comm_bytes;
  }
  if (!metrics.eval.empty()) summary.top1 = metrics.eval.back().top1;
  return summary;
}

// The largest relative difference of the losses at steps up to `last` that both runs logged; -1: no
// such step.
double largest_difference(const RunSummary& a, const RunSummary& b, std::int64_t last) {
  double largest = -1;
  for (const auto& [step, loss] : a.losses) {
    const auto other = b.losses.find(step);
    if (other == b.losses.end() || step > last) continue;
    largest = std::max(largest, std::abs(loss - other->second) / std::abs(other->second));
  }
  return largest;
}

// Rounding differs between runs that add in another order, and training amplifies it: the beginning
// says whether two runs compute the same, the whole how far they have parted.
std::string agreement(const RunSummary& a, const RunSummary& b) {
  constexpr std::int64_t kBeginning = 20;  // steps
  const double all = largest_difference(a, b, std::numeric_limits<std::int64_t>::max());
  if (all < 0) return fmt::format("{} and {} logged no step in common\n", a.name, b.name);
  if (all == 0)
    return fmt::format("{} and {} have the same losses to the last bit\n", a.name, b.name);
  const double beginning = largest_difference(a, b, kBeginning);
  return fmt::format(
      "losses of {} and {} differ by at most {:.1e}{} (relative)\n", a.name, b.name, all,
      beginning < 0 ? "" : fmt::format(", in the first {} steps by {:.1e}", kBeginning, beginning));
}

}  // namespace

std::string inspect_runs(const std::vector<fs::path>& runs) {
  std::vector<RunSummary> summaries;
  for (const fs::path& run : runs) summaries.push_back(summarise(run));

  TextTable table({{"run", Align::left},
                   {"strategy", Align::left},
                   {"steps"},
                   {"first loss"},
                   {"last loss"},
                   {"val top-1"},
                   {"images/s"},
                   {"ms a step"},
                   {"of it waiting"},
                   {"exchanged a step"}});
  for (const RunSummary& run : summaries) {
    table.row({run.name, run.strategy, thousands(run.losses.rbegin()->first),
               fmt::format("{:.4f}", run.losses.begin()->second),
               fmt::format("{:.4f}", run.losses.rbegin()->second),
               run.top1 ? percent(*run.top1) : "-",
               fmt::format("{:.1f}", median(run.images_per_second)),
               fmt::format("{:.1f}", median(run.step_ms)),
               fmt::format("{:.1f}", median(run.exposed_ms)), bytes_text(run.comm_bytes)});
  }
  std::string text = table.text();
  for (std::size_t i = 1; i < summaries.size(); ++i) {
    text += agreement(summaries[i], summaries[0]);
  }
  return text;
}

}  // namespace convoy
