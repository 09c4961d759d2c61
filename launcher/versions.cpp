// Versions of the program, of what it is linked with, and of what it was compiled with.
#include "launcher/versions.h"

#include <string_view>
#include <utility>

#include <boost/version.hpp>
#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <spdlog/version.h>

#include "dist/comm/libraries.h"

namespace convoy {
namespace {

std::string parts(int major, int minor, int patch) {
  return fmt::format("{}.{}.{}", major, minor, patch);
}

// Those that are headers, or whose code does not tell its version.
std::vector<std::pair<std::string_view, std::string>> compiled_in() {
  return {
      {"TurboJPEG", CONVOY_TURBOJPEG_VERSION},
      {"ISA-L", CONVOY_ISAL_VERSION},
      {"Boost", parts(BOOST_VERSION / 100000, BOOST_VERSION / 100 % 1000, BOOST_VERSION % 100)},
      {"fmt", parts(FMT_VERSION / 10000, FMT_VERSION / 100 % 100, FMT_VERSION % 100)},
      {"spdlog", parts(SPDLOG_VER_MAJOR, SPDLOG_VER_MINOR, SPDLOG_VER_PATCH)},
      {"nlohmann json", parts(NLOHMANN_JSON_VERSION_MAJOR, NLOHMANN_JSON_VERSION_MINOR,
                              NLOHMANN_JSON_VERSION_PATCH)},
      {"compiler", CONVOY_COMPILER},
  };
}

}  // namespace

std::string convoy_version() { return CONVOY_VERSION; }

std::string convoy_date() { return CONVOY_DATE; }

std::string version_text() {
  std::string text = fmt::format("convoy {}\n", convoy_version());
  for (const LibraryVersion& library : libraries()) {
    text += fmt::format("{:<13} built with {:<8} ", library.name, library.built);
    text += library.found.empty() ? "not found here\n" : fmt::format("found {}\n", library.found);
  }
  for (const auto& [name, built] : compiled_in()) {
    text += fmt::format("{:<13} built with {}\n", name, built);
  }
  return text;
}

}  // namespace convoy
