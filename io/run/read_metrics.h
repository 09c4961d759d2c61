// A run's metrics.jsonl, read back.
#pragma once

#include <filesystem>
#include <vector>

#include "io/run/metrics.h"

namespace convoy {

struct RunMetrics {
  std::vector<TrainMetrics> train;  // in the order of the file; numbers written as null are NaN
  std::vector<EvalMetrics> eval;
};

// Of a run directory. A last line that its writer has not ended is left out. Throws Error(bad_data)
// where there is no metrics.jsonl, where a line of it is none of metrics, naming the
// line, or where there is no training step yet.
[[nodiscard]] RunMetrics read_metrics(const std::filesystem::path& run);

}  // namespace convoy
