// The files of configs/nets, embedded by the build (net_files.cpp.in).
#pragma once

#include <span>
#include <string_view>

namespace convoy {

struct NetFile {
  std::string_view name;  // "vgg-a"
  std::string_view text;
};

[[nodiscard]] std::span<const NetFile> net_files();

}  // namespace convoy
