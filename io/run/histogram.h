// Counts of values in fixed bins, which add up over ranks and threads to the same numbers in
// whatever order.
//
// A bin's edges are where the first 12 bits of a float change: 8 bins from a power of two to the
// next, each 7 to 12 % wide, down to the smallest floats, for negative and positive ones.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <vector>

namespace convoy {

struct Histogram {
  static constexpr std::size_t kBins = 4096;

  // In ascending order of values; NaNs lie in the outermost bins.
  std::vector<std::int64_t> counts = std::vector<std::int64_t>(kBins);
  std::int64_t not_finite = 0;                           // of all values
  float least = std::numeric_limits<float>::infinity();  // of those that are no NaN
  float most = -std::numeric_limits<float>::infinity();
  double sum = 0;
  double squares = 0;

  [[nodiscard]] std::int64_t values() const;
};

// The bin with lower_edge(bin) <= value < lower_edge(bin + 1); both zeros lie in the same one.
[[nodiscard]] std::size_t bin_of(float value);
// Of bins [0, kBins]; beyond the floats, edges go on as if exponents did.
[[nodiscard]] double lower_edge(std::size_t bin);

struct Moments {
  double sum = 0;
  double squares = 0;
};

// Counts values, and returns their sums, added in their order. Sums of the whole are left to the
// caller, whose order counts.
Moments count(std::span<const float> values, Histogram& into);

// Adds counts and extremes.
void add(const Histogram& part, Histogram& whole);

}  // namespace convoy
