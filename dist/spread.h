// Order statistics of a few measured values.
#pragma once

#include <algorithm>
#include <cstddef>
#include <vector>

namespace convoy {

struct Spread {
  double min = 0;
  double median = 0;
  double max = 0;
};

// All 0 where there are no values. The median of an even number of values is the mean of the middle
// two.
[[nodiscard]] inline Spread spread_of(std::vector<double> values) {
  if (values.empty()) return {};
  std::ranges::sort(values);
  const std::size_t half = values.size() / 2;
  const double upper = values[half];
  const double median = values.size() % 2 == 1 ? upper : (values[half - 1] + upper) / 2;
  return {values.front(), median, values.back()};
}

}  // namespace convoy
