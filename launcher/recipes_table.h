// All recipes side by side.
#pragma once

#include <string>

namespace convoy {

// A table in Markdown: a column for each recipe, a row for each option that they do not all set
// alike, and how many parameters the nets have.
[[nodiscard]] std::string recipes_table();

}  // namespace convoy
