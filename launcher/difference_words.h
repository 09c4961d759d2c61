// What a job has otherwise than the paper, told to a person.
#pragma once

#include <string>
#include <vector>

#include "launcher/options.h"

namespace convoy {

// A line or a few for each matter in which the job differs: "Towers: one column ...". The input's
// size is told wherever anything differs, since no recipe can have the one of the paper's text.
[[nodiscard]] std::string difference_words(const JobOptions& job,
                                           const std::vector<Difference>& differences);

// The name of the matter that a key belongs to; empty where the words above would be those of the
// option's own description.
[[nodiscard]] std::string matter_of(std::string_view key);

}  // namespace convoy
