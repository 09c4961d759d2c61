// metrics.jsonl: one JSON object per logged step and per evaluation (fields: README).
#pragma once

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <string>

namespace convoy {

struct StepTimes {  // milliseconds
  double step = 0;
  double data_wait = 0;
  double forward = 0;
  double backward = 0;
  double comm_exposed = 0;
  double update = 0;  // 0 where gradients need no sum over replicas: part of backward then
};

struct TrainMetrics {
  std::int64_t step = 0;  // finished steps
  std::int64_t epoch = 0;
  double loss = 0;  // of the step's global batch, data loss only
  double top1 = 0;  // fractions
  double top5 = 0;
  double lr = 0;
  double images_per_second = 0;
  StepTimes ms = {};            // mean since the last line, maximum over ranks
  std::int64_t comm_bytes = 0;  // payload rank 0 handed to the communicator in a step
};

struct EvalMetrics {
  std::int64_t step = 0;
  std::int64_t epoch = 0;
  double loss = 0;
  double top1 = 0;
  double top5 = 0;
  int views = 1;
  std::int64_t images = 0;
};

// Appends lines, each flushed when written. Numbers read back exactly; JSON has no NaN or infinity,
// so a number that is not finite is written as null.
class MetricsFile {
 public:
  // Throws Error(resource) when the file cannot be opened or written.
  explicit MetricsFile(const std::filesystem::path& path);
  void write(const TrainMetrics& metrics);
  void write(const EvalMetrics& metrics);

 private:
  void line(const std::string& text);
  std::filesystem::path path_;
  std::ofstream out_;
};

// Before a run resumes after `step` finished steps: removes the lines of later steps, the
// evaluation of this step, which comes after its checkpoint and is made again, and half a line that
// a crash left, so that nothing stands in the file twice. A missing file is left missing. Throws
// Error(resource) when the file cannot be read or replaced.
void cut_metrics(const std::filesystem::path& path, std::int64_t step);

// True where the file holds the evaluation after `step` steps.
[[nodiscard]] bool has_evaluation(const std::filesystem::path& path, std::int64_t step);

}  // namespace convoy
