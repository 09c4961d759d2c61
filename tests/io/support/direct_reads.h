// Whether a file system reads past the page cache (O_DIRECT); some, kept in memory, do not.
#pragma once

#include <filesystem>

#include <fcntl.h>

#include "io/files/descriptor.h"

namespace convoy {

inline bool reads_directly(const std::filesystem::path& file) {
  return Descriptor(::open(file.c_str(), O_RDONLY | O_DIRECT)).valid();
}

}  // namespace convoy
