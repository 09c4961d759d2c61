// The run directory: config.ini, metrics.jsonl, tensorboard/, log.txt and checkpoints/. Only rank 0
// has one.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include "dist/checkpoint/run_lock.h"
#include "io/run/event_folder.h"
#include "io/run/metrics.h"

namespace convoy {

class RunFolder {
 public:
  // Creates the folder. Throws Error(usage) where it already holds a run, Error(resource) where it
  // cannot be written.
  static RunFolder create(const std::filesystem::path& folder, const std::string& config,
                          const std::string& host);
  // Goes on with a run after `step` steps: later lines of metrics.jsonl and later events are cut,
  // log.txt goes on. `whole`: it is finished, and nothing is cut.
  static RunFolder reopen(const std::filesystem::path& folder, const std::string& config,
                          std::unique_ptr<RunLock> lock, std::int64_t step, bool whole);
  RunFolder(RunFolder&&) noexcept;
  ~RunFolder();

  // From now on there are events too, of a process that goes on after `step` steps.
  void keep_events(std::int64_t step) { events_.emplace(folder_ / "tensorboard", step); }
  [[nodiscard]] EventFolder* events() { return events_ ? &*events_ : nullptr; }  // null: none

  // To metrics.jsonl, and the events.
  void write(const TrainMetrics& metrics) { write_both(metrics); }
  void write(const EvalMetrics& metrics) { write_both(metrics); }
  [[nodiscard]] std::filesystem::path checkpoints() const { return folder_ / "checkpoints"; }
  // Writes kernels.txt (KernelChoices); nothing where no kernel was chosen by timing.
  void keep_kernels(const std::string& choices) const;
  // A line for log.txt, and for standard output unless `quiet`.
  void log(const std::string& line, bool quiet = false);
  // A line for log.txt and standard error.
  void warn(const std::string& line);

 private:
  RunFolder(const std::filesystem::path& folder, std::unique_ptr<RunLock> lock);
  // An evaluation that is in metrics.jsonl is not made again: the event comes first.
  template <typename Metrics>
  void write_both(const Metrics& metrics) {
    if (events_) events_->write(metrics);
    metrics_.write(metrics);
  }

  std::filesystem::path folder_;
  std::unique_ptr<RunLock> lock_;
  MetricsFile metrics_;
  std::optional<EventFolder> events_;
  struct Log;
  std::unique_ptr<Log> log_;
};

}  // namespace convoy
