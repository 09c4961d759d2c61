// Finds the valid name that a person most likely meant.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace convoy {

// Insertions, deletions, replacements and swaps of neighbours that lead from one text to the other
// (optimal string alignment).
[[nodiscard]] std::size_t edit_distance(std::string_view from, std::string_view to);

// The name nearest to `given`, the first of equals; `names` must not be empty. A name whose last
// part (after the last '.') is `given` counts as one edit away, so that "batch" finds
// "solver.batch".
[[nodiscard]] std::string nearest(std::string_view given, const std::vector<std::string>& names);

}  // namespace convoy
