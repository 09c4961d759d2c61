// The files that are damaged, and how all that is read from each is held against the original.
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "core/error.h"
#include "tests/faults/damage.h"

namespace convoy::faults {

struct Subject {
  std::string name;
  std::filesystem::path file;
  ExitCode refusal;  // of a damaged one
  std::vector<Region> regions;
  std::vector<Damage> damages;  // that it must stand
  // Reads everything; false where anything differs from the original. Throws what reading throws.
  std::function<bool()> read_and_compare;
};

// In `folder`: a dataset's index and shards, raw and JPEG; a shard of another tool, of which only
// damaged values can be seen; a checkpoint; features.
[[nodiscard]] std::vector<Subject> make_subjects(const std::filesystem::path& folder);

}  // namespace convoy::faults
