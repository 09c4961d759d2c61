// A folder that nobody else may enter, removed at its end.
#pragma once

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <string>
#include <system_error>

#include "core/error.h"

namespace convoy {

class TemporaryFolder {
 public:
  // Throws Error(resource) where none can be made.
  TemporaryFolder() {
    std::string name = (std::filesystem::temp_directory_path() / "convoy-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr)
      fail(ExitCode::resource, "no temporary folder {} can be made: {}", name,
           std::strerror(errno));
    path_ = name;
  }
  ~TemporaryFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;

  [[nodiscard]] const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

}  // namespace convoy
