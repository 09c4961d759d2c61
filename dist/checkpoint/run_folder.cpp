// Creates a run directory or opens it again, and writes its lines and events in the background.
#include "dist/checkpoint/run_folder.h"

#include <cerrno>
#include <chrono>
#include <cstring>
#include <exception>
#include <optional>
#include <system_error>
#include <utility>

#include <spdlog/sinks/basic_file_sink.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include "core/error.h"
#include "io/files/durable.h"
#include "io/run/write_queue.h"

namespace convoy {
namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::system_clock;

constexpr std::size_t kMostBytes = 64 << 20;  // that wait for the disk

std::shared_ptr<spdlog::sinks::sink> open_log(const fs::path& path) {
  try {
    return std::make_shared<spdlog::sinks::basic_file_sink_mt>(path.string());
  } catch (const spdlog::spdlog_ex&) {
    fail(ExitCode::resource, "cannot open {}: {}", path.string(), std::strerror(errno));
  }
}

}  // namespace

struct RunFolder::Files {
  explicit Files(const fs::path& folder)
      : metrics(folder / "metrics.jsonl"),
        file("file", open_log(folder / "log.txt")),
        out("out", std::make_shared<spdlog::sinks::stdout_sink_mt>()),
        err("err", std::make_shared<spdlog::sinks::stderr_sink_mt>()) {
    file.set_pattern("%Y-%m-%d %H:%M:%S %l %v");
    file.flush_on(spdlog::level::info);
    out.set_pattern("%v");
    out.flush_on(spdlog::level::info);
    err.set_pattern("convoy: warning: %v");
    // The log is a convenience: a full disk ends the run where metrics or a checkpoint meet it.
    file.set_error_handler([this, path = folder / "log.txt"](const std::string& reason) {
      if (!complete) return;
      complete = false;
      err.warn("{} is incomplete from here on: {}", path.string(), reason);
    });
  }
  ~Files() {
    try {
      if (const std::exception_ptr untold = queue.untold()) std::rethrow_exception(untold);
    } catch (const std::exception& error) {
      err.warn(error.what());
    }
  }

  // The event comes first: an evaluation that is in metrics.jsonl is not made again.
  template <typename Metrics>
  void write(const Metrics& line) {
    queue.put(sizeof(line), [this, line, now = Clock::now()] {
      if (events) {
        events->made_at(now);
        events->write(line);
      }
      metrics.write(line);
    });
  }
  void log(spdlog::level::level_enum level, const std::string& line) {
    queue.put(line.size(), [this, level, line, now = Clock::now()] {
      file.log(now, spdlog::source_loc{}, level, line);
    });
  }

  MetricsFile metrics;
  std::optional<EventFolder> events;
  bool complete = true;
  spdlog::logger file;
  spdlog::logger out;
  spdlog::logger err;
  WriteQueue queue{kMostBytes};  // the last: its thread uses the others
};

RunFolder::RunFolder(const fs::path& folder, std::unique_ptr<RunLock> lock)
    : folder_(folder), lock_(std::move(lock)), files_(std::make_unique<Files>(folder)) {}

RunFolder::RunFolder(RunFolder&&) noexcept = default;
RunFolder::~RunFolder() = default;

RunFolder RunFolder::create(const fs::path& folder, const std::string& config,
                            const std::string& host) {
  std::error_code error;
  fs::create_directories(folder / "checkpoints", error);
  if (error) {
    fail(ExitCode::resource, "the run directory {} cannot be created: {}", folder.string(),
         error.message());
  }
  auto lock = std::make_unique<RunLock>(folder, host);
  if (fs::exists(folder / "config.ini")) {  // another process was quicker, and has ended
    fail(ExitCode::usage, "{} already holds a run that was started meanwhile; start again to go on",
         folder.string());
  }
  const std::string warning = lock->warning();
  write_durably(folder / "config.ini", config);
  RunFolder run(folder, std::move(lock));
  if (!warning.empty()) run.warn(warning);
  return run;
}

RunFolder RunFolder::reopen(const fs::path& folder, const std::string& config,
                            std::unique_ptr<RunLock> lock, std::int64_t step, bool whole) {
  create_folders(folder / "checkpoints");
  if (!whole) {
    cut_metrics(folder / "metrics.jsonl", step);
    cut_events(folder / "tensorboard", step);
  }
  write_durably(folder / "config.ini", config);
  return {folder, std::move(lock)};
}

void RunFolder::keep_events(std::int64_t step) {
  files_->queue.settle();
  files_->events.emplace(folder_ / "tensorboard", step);
}

void RunFolder::write(const TrainMetrics& metrics) { files_->write(metrics); }
void RunFolder::write(const EvalMetrics& metrics) { files_->write(metrics); }

void RunFolder::show(std::size_t bytes, std::function<void(EventFolder&)> write) {
  if (!files_->events) return;
  files_->queue.put(bytes, [files = files_.get(), write = std::move(write), now = Clock::now()] {
    files->events->made_at(now);
    write(*files->events);
  });
}

void RunFolder::settle() { files_->queue.settle(); }

void RunFolder::keep_kernels(const std::string& choices) const {
  if (!choices.empty()) write_durably(folder_ / "kernels.txt", choices);
}

void RunFolder::log(const std::string& line, bool quiet) {
  if (!quiet) files_->out.info(line);
  files_->log(spdlog::level::info, line);
}

void RunFolder::warn(const std::string& line) {
  files_->err.warn(line);
  files_->log(spdlog::level::warn, line);
}

}  // namespace convoy
