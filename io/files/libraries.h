// Versions of the libraries that io/ reads and writes with.
#pragma once

#include <vector>

#include "core/libraries.h"

namespace convoy {

[[nodiscard]] std::vector<LibraryVersion> io_libraries();

}  // namespace convoy
