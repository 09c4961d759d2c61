// Compares checkpoints by the step in their names: times of files do not survive copying.
#include "launcher/checkpoint_path.h"

#include <cctype>
#include <cstdint>
#include <string>
#include <system_error>

#include "core/error.h"
#include "launcher/option_table.h"

namespace convoy {
namespace {

// The last number in the name; -1 where there is none.
std::int64_t step_in(const std::string& stem) {
  std::size_t end = stem.size();
  while (end > 0 && std::isdigit(static_cast<unsigned char>(stem[end - 1])) == 0) --end;
  std::size_t begin = end;
  while (begin > 0 && std::isdigit(static_cast<unsigned char>(stem[begin - 1])) != 0) --begin;
  std::int64_t step = -1;
  return parse_value(std::string_view(stem).substr(begin, end - begin), step) ? step : -1;
}

}  // namespace

std::filesystem::path newest_checkpoint(const std::filesystem::path& run_dir) {
  const std::filesystem::path folder = run_dir / "checkpoints";
  std::filesystem::path newest;
  std::int64_t last = -2;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(folder, error)) {
    if (entry.path().extension() != ".h5") continue;
    const std::int64_t step = step_in(entry.path().stem().string());
    if (step > last) {
      last = step;
      newest = entry.path();
    }
  }
  if (error) {
    fail(ExitCode::bad_checkpoint, "the folder {} cannot be read: {}", folder.string(),
         error.message());
  }
  if (newest.empty()) {
    fail(ExitCode::bad_checkpoint, "the folder {} holds no checkpoint (*.h5)", folder.string());
  }
  return newest;
}

}  // namespace convoy
