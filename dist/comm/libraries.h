// Versions of all libraries of this program.
#pragma once

#include <vector>

#include "core/libraries.h"

namespace convoy {

// MPI, NCCL where this build has it, and those of the floors below.
[[nodiscard]] std::vector<LibraryVersion> libraries();

}  // namespace convoy
