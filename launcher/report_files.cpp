// Refuses early what would fail after the work is done.
#include "launcher/report_files.h"

#include "core/error.h"

namespace convoy {

void require_folder_of(const std::filesystem::path& file) {
  if (file.empty()) return;
  const std::filesystem::path folder = file.has_parent_path() ? file.parent_path() : ".";
  if (!std::filesystem::is_directory(folder))
    fail(ExitCode::usage, "{} cannot be written: there is no folder {}", file.string(),
         folder.string());
  if (std::filesystem::is_directory(file))
    fail(ExitCode::usage, "{} is a folder; name a file to write", file.string());
}

}  // namespace convoy
