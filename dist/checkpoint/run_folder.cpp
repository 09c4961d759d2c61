// Creates a run directory or opens it again, and writes its log.
#include "dist/checkpoint/run_folder.h"

#include <cerrno>
#include <cstring>
#include <system_error>
#include <utility>

#include <spdlog/sinks/basic_file_sink.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include "core/error.h"
#include "io/files/durable.h"

namespace convoy {
namespace {

namespace fs = std::filesystem;

std::shared_ptr<spdlog::sinks::sink> open_log(const fs::path& path) {
  try {
    return std::make_shared<spdlog::sinks::basic_file_sink_mt>(path.string());
  } catch (const spdlog::spdlog_ex&) {
    fail(ExitCode::resource, "cannot open {}: {}", path.string(), std::strerror(errno));
  }
}

}  // namespace

struct RunFolder::Log {
  explicit Log(const fs::path& path)
      : file("file", open_log(path)),
        out("out", std::make_shared<spdlog::sinks::stdout_sink_mt>()),
        err("err", std::make_shared<spdlog::sinks::stderr_sink_mt>()) {
    file.set_pattern("%Y-%m-%d %H:%M:%S %l %v");
    file.flush_on(spdlog::level::info);
    out.set_pattern("%v");
    out.flush_on(spdlog::level::info);
    err.set_pattern("convoy: warning: %v");
    // The log is a convenience: a full disk ends the run where metrics or a checkpoint meet it.
    file.set_error_handler([this, path](const std::string& reason) {
      if (!complete) return;
      complete = false;
      err.warn("{} is incomplete from here on: {}", path.string(), reason);
    });
  }
  bool complete = true;
  spdlog::logger file;
  spdlog::logger out;
  spdlog::logger err;
};

RunFolder::RunFolder(const fs::path& folder, std::unique_ptr<RunLock> lock)
    : folder_(folder),
      lock_(std::move(lock)),
      metrics_(folder / "metrics.jsonl"),
      log_(std::make_unique<Log>(folder / "log.txt")) {}

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

void RunFolder::keep_kernels(const std::string& choices) const {
  if (!choices.empty()) write_durably(folder_ / "kernels.txt", choices);
}

void RunFolder::log(const std::string& line, bool quiet) {
  log_->file.info(line);
  if (!quiet) log_->out.info(line);
}

void RunFolder::warn(const std::string& line) {
  log_->file.warn(line);
  log_->err.warn(line);
}

}  // namespace convoy
