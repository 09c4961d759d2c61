// Refuses early what would fail after the work is done, or destroy what it is done with.
#include "launcher/report_files.h"

#include <set>
#include <string>
#include <system_error>

#include "core/error.h"
#include "io/files/durable.h"

namespace convoy {
namespace {

namespace fs = std::filesystem;

// Whether `file` is a part of the run or dataset in `folder`, rather than a picture or page that
// somebody keeps there. Both paths are canonical.
bool is_part_of(const fs::path& file, const fs::path& folder) {
  static const std::set<std::string> parts_of_run{
      "checkpoints", "collectives", "config.ini",    "features.h5", "kernels.txt",
      "run.lock",    "log.txt",     "metrics.jsonl", "tensorboard", "trace"};
  const fs::path inside = file.lexically_relative(folder);
  if (inside.empty() || *inside.begin() == "..") return false;
  std::error_code ignored;
  return fs::exists(folder / "index.h5", ignored) ||
         parts_of_run.contains(inside.begin()->string());
}

}  // namespace

void require_output(const fs::path& file, const std::vector<fs::path>& inputs) {
  if (file.empty()) return;
  const fs::path folder = file.has_parent_path() ? file.parent_path() : ".";
  std::error_code error;
  if (!fs::is_directory(folder, error)) {
    fail(ExitCode::usage, "{} cannot be written: there is no folder {}", file.string(),
         folder.string());
  }
  require_replaceable(file);
  const fs::path there = fs::canonical(file, error);
  if (error) return;  // a new file
  for (const fs::path& input : inputs) {
    const fs::path read = fs::canonical(input, error);
    if (error) continue;
    if (fs::equivalent(there, read, error)) {
      fail(ExitCode::usage, "{} would be overwritten, which the command reads; name another file",
           file.string());
    }
    if (is_part_of(there, read)) {
      fail(ExitCode::usage, "{} would be overwritten, which belongs to {}; name another file",
           file.string(), input.string());
    }
  }
}

}  // namespace convoy
