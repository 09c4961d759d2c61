// The configuration files of configs/, which the build embeds (config_files.cpp.in), so that
// --config takes them by name wherever the program is.
#pragma once

#include <filesystem>
#include <span>
#include <string>
#include <string_view>

namespace convoy {

struct ConfigFile {
  std::string_view name;  // of the file, without .ini
  std::string_view text;
};

[[nodiscard]] std::span<const ConfigFile> config_files();

// The text of a file; where there is none of that path, of the embedded one that is named so, with
// or without .ini. Throws Error(usage) naming the embedded ones.
[[nodiscard]] std::string read_config(const std::filesystem::path& file);

}  // namespace convoy
