// Weights that are not numbers are said, wherever they would pass.
#pragma once

#include <algorithm>
#include <cmath>
#include <span>
#include <string>

#include "core/error.h"

namespace convoy {

// Throws Error(bad_checkpoint) where a value is NaN or infinite: tensor, how many, where the first.
inline void require_finite(std::span<const float> values, const std::string& tensor,
                           const std::string& where) {
  const auto finite = [](float value) { return std::isfinite(value); };
  const auto first = std::ranges::find_if_not(values, finite);
  if (first == values.end()) return;
  const auto count =
      std::count_if(first, values.end(), [&](float value) { return !finite(value); });
  fail(ExitCode::bad_checkpoint, "{} of {} holds {} that {} not finite, the first ({}) at {} of {}",
       tensor, where, count == 1 ? "a value" : fmt::format("{} values", count),
       count == 1 ? "is" : "are", *first, first - values.begin(), values.size());
}

}  // namespace convoy
