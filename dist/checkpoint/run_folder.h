// The run directory: config.ini, metrics.jsonl, log.txt and checkpoints/. Only rank 0 has one.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>

#include "dist/checkpoint/run_lock.h"
#include "io/run/metrics.h"

namespace convoy {

class RunFolder {
 public:
  // Creates the folder. Throws Error(usage) where it already holds a run, Error(resource) where it
  // cannot be written.
  static RunFolder create(const std::filesystem::path& folder, const std::string& config,
                          const std::string& host);
  // Goes on with a run after `step` steps: later lines of metrics.jsonl are cut, log.txt goes on.
  // `whole`: it is finished, and nothing is cut.
  static RunFolder reopen(const std::filesystem::path& folder, const std::string& config,
                          std::unique_ptr<RunLock> lock, std::int64_t step, bool whole);
  RunFolder(RunFolder&&) noexcept;
  ~RunFolder();

  MetricsFile& metrics() { return metrics_; }
  [[nodiscard]] std::filesystem::path checkpoints() const { return folder_ / "checkpoints"; }
  // Writes kernels.txt (KernelChoices); nothing where no kernel was chosen by timing.
  void keep_kernels(const std::string& choices) const;
  // A line for log.txt, and for standard output unless `quiet`.
  void log(const std::string& line, bool quiet = false);
  // A line for log.txt and standard error.
  void warn(const std::string& line);

 private:
  RunFolder(const std::filesystem::path& folder, std::unique_ptr<RunLock> lock);

  std::filesystem::path folder_;
  std::unique_ptr<RunLock> lock_;
  MetricsFile metrics_;
  struct Log;
  std::unique_ptr<Log> log_;
};

}  // namespace convoy
