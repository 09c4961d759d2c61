// The run directory: config.ini, metrics.jsonl, log.txt and checkpoints/. Only rank 0 has one.
#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "io/metrics.h"

namespace convoy {

class RunFolder {
 public:
  // Creates the folder. Throws Error(usage) where it already holds a run, Error(resource) where it
  // cannot be written.
  RunFolder(const std::filesystem::path& folder, const std::string& config);
  ~RunFolder();

  MetricsFile& metrics() { return metrics_; }
  // Where the checkpoint after `step` steps belongs.
  [[nodiscard]] std::filesystem::path checkpoint(std::int64_t step) const;
  // Removes all but the newest `keep` checkpoints; keep = 0 removes none.
  void remove_old_checkpoints(std::int64_t keep) const;
  // Writes kernels.txt (KernelChoices); nothing where no kernel was chosen by timing.
  void keep_kernels(const std::string& choices) const;
  // A line for log.txt, and for standard output unless `quiet`.
  void log(const std::string& line, bool quiet = false);
  // A line for log.txt and standard error.
  void warn(const std::string& line);

 private:
  std::filesystem::path folder_;
  MetricsFile metrics_;
  struct Log;
  std::unique_ptr<Log> log_;
};

}  // namespace convoy
