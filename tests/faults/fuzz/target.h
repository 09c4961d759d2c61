// What fuzz targets share: code under test may throw an Error with a sentence and nothing else, and
// files lie in memory where the system has a place for that.
#pragma once

#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <initializer_list>
#include <span>
#include <string>

#include <unistd.h>

#include "core/error.h"

namespace convoy::fuzz {

// Any other exception, or an Error with another code, ends the target, which libFuzzer reports.
template <typename Work>
void only_errors(std::initializer_list<ExitCode> codes, const Work& work) {
  try {
    work();
  } catch (const Error& error) {
    const std::string sentence = error.what();
    bool expected = false;
    for (const ExitCode code : codes) expected = expected || error.code() == code;
    if (!expected || sentence.empty()) std::abort();
  }
}

// A folder of this process, emptied by the system's next start at the latest.
inline const std::filesystem::path& scratch() {
  static const std::filesystem::path folder = [] {
    const std::filesystem::path memory = "/dev/shm";
    const std::filesystem::path base =
        std::filesystem::is_directory(memory) ? memory : std::filesystem::temp_directory_path();
    std::filesystem::path made = base / ("convoy-fuzz-" + std::to_string(getpid()));
    std::filesystem::create_directories(made);
    std::atexit([] {
      std::error_code ignored;
      std::filesystem::remove_all(scratch(), ignored);
    });
    return made;
  }();
  return folder;
}

inline std::filesystem::path write_file(const std::string& name,
                                        std::span<const std::uint8_t> bytes) {
  std::filesystem::path path = scratch() / name;
  std::ofstream out(path, std::ios::binary | std::ios::trunc);
  out.write(reinterpret_cast<const char*>(bytes.data()),
            static_cast<std::streamsize>(bytes.size()));
  return path;
}

}  // namespace convoy::fuzz
