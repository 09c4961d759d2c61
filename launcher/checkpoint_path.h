// Finds a run's newest checkpoint.
#pragma once

#include <filesystem>

namespace convoy {

// The file DIR/checkpoints/*.h5 with the greatest number in its name (the step). Throws
// Error(bad_checkpoint) where there is none.
[[nodiscard]] std::filesystem::path newest_checkpoint(const std::filesystem::path& run_dir);

}  // namespace convoy
