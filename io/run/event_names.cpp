// Makes and reads names of event files.
#include "io/run/event_names.h"

#include <algorithm>
#include <charconv>
#include <limits>
#include <string_view>
#include <system_error>

#include <fmt/format.h>

#include "core/error.h"

namespace convoy {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kPrefix = "events.out.tfevents.";
constexpr std::string_view kSuffix = ".convoy";

}  // namespace

std::string event_file_name(std::int64_t number) {
  return fmt::format("{}{:010}{}", kPrefix, number, kSuffix);
}

std::int64_t event_file_number(const fs::path& file) {
  constexpr std::size_t digits = std::numeric_limits<std::int64_t>::digits10;
  const std::string text = file.filename().string().substr(kPrefix.size(), digits);
  std::int64_t number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

std::vector<fs::path> event_files(const fs::path& folder) {
  std::vector<fs::path> files;
  std::error_code error;
  if (!fs::exists(folder, error)) return files;
  for (fs::directory_iterator entry(folder, error), end; !error && entry != end;
       entry.increment(error)) {
    const std::string name = entry->path().filename().string();
    if (name.starts_with(kPrefix) && name.ends_with(kSuffix)) files.push_back(entry->path());
  }
  if (error) fail(ExitCode::resource, "cannot read {}: {}", folder.string(), error.message());
  std::ranges::sort(files);
  return files;
}

}  // namespace convoy
