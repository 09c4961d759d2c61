// A configuration by the name of its file or by that of an embedded one.
#include <system_error>

#include "core/error.h"
#include "launcher/assignments.h"
#include "launcher/config_files.h"

namespace convoy {

std::string read_config(const std::filesystem::path& file) {
  std::error_code unknown;  // such as a name that is too long, of which reading says so
  if (std::filesystem::exists(file, unknown) || unknown) return read_text_file(file);
  std::string names;
  for (const ConfigFile& config : config_files()) {
    if (file == config.name || file == std::string(config.name) + ".ini")
      return std::string(config.text);
    names += (names.empty() ? "" : ", ") + std::string(config.name);
  }
  fail(ExitCode::usage,
       "the file {} cannot be read: No such file or directory, and the program has no "
       "configuration of that name (it has {})",
       file.string(), names);
}

}  // namespace convoy
