// The run directory: config.ini, metrics.jsonl, tensorboard/, log.txt and checkpoints/. Only rank 0
// has one.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>

#include "dist/checkpoint/run_lock.h"
#include "io/run/event_folder.h"
#include "io/run/metrics.h"

namespace convoy {

// Metrics, events and log.txt are written in the order of the calls, on a thread of its own. A call
// waits for the disk only where 64 MB wait already; it throws Error(resource) where what earlier
// ones gave could not be written.
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
  ~RunFolder();  // writes what was given; what cannot be written is a warning then

  // From now on there are events too, of a process that goes on after `step` steps.
  void keep_events(std::int64_t step);

  // To metrics.jsonl, and the events.
  void write(const TrainMetrics& metrics);
  void write(const EvalMetrics& metrics);
  // More events: `write` is called later by the thread, and owns what it reads, `bytes` of it.
  // Nothing without keep_events().
  void show(std::size_t bytes, std::function<void(EventFolder&)> write);
  // Waits until everything that was given is in its file. From any thread.
  void settle();

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
  struct Files;
  std::unique_ptr<Files> files_;
};

}  // namespace convoy
