// Creates a run directory and writes its log.
#include "dist/run_folder.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <vector>

#include <spdlog/sinks/basic_file_sink.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include "core/error.h"

namespace convoy {
namespace {

namespace fs = std::filesystem;

void write_text(const fs::path& path, const std::string& text) {
  std::ofstream out(path);
  out << text;
  out.close();
  if (!out) {
    fail(ExitCode::resource, "{} cannot be written: {}", path.string(), std::strerror(errno));
  }
}

// Returns the path of metrics.jsonl in the new folder.
fs::path create(const fs::path& folder, const std::string& config) {
  if (fs::exists(folder / "metrics.jsonl")) {
    fail(ExitCode::usage,
         "{} already holds a run; choose another --run.dir, or remove that one first",
         folder.string());
  }
  std::error_code error;
  fs::create_directories(folder / "checkpoints", error);
  if (error) {
    fail(ExitCode::resource, "the run directory {} cannot be created: {}", folder.string(),
         error.message());
  }
  write_text(folder / "config.ini", config);
  return folder / "metrics.jsonl";
}

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

RunFolder::RunFolder(const fs::path& folder, const std::string& config)
    : folder_(folder),
      metrics_(create(folder, config)),
      log_(std::make_unique<Log>(folder / "log.txt")) {}

RunFolder::~RunFolder() = default;

fs::path RunFolder::checkpoint(std::int64_t step) const {
  return folder_ / "checkpoints" / fmt::format("step-{:08}.h5", step);
}

void RunFolder::remove_old_checkpoints(std::int64_t keep) const {
  std::vector<fs::path> files;
  for (const auto& entry : fs::directory_iterator(folder_ / "checkpoints")) {
    const fs::path& path = entry.path();  // what a person put or renamed here is not ours to remove
    if (path.extension() == ".h5" && path.filename().string().starts_with("step-")) {
      files.push_back(path);
    }
  }
  const auto kept = static_cast<std::size_t>(keep);
  if (keep == 0 || files.size() <= kept) return;
  std::ranges::sort(files);  // names carry the step with leading zeros
  files.resize(files.size() - kept);
  for (const fs::path& file : files) fs::remove(file);
}

void RunFolder::keep_kernels(const std::string& choices) const {
  if (!choices.empty()) write_text(folder_ / "kernels.txt", choices);
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
