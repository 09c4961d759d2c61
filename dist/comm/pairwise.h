// Sums over ranks, pairwise: neighbours first, then pairs of pairs.
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>

namespace convoy {

inline constexpr std::int64_t kSumBlock = 4096;  // floats of all ranks that fit a first-level cache

// to [count] = the sum over the parts [first, first + parts), at most kSumBlock floats: set(part,
// to) writes a part there and add(part, to) adds it. The left half has the next power of two, so
// that the order is that of ConvSpec::sum_parts.
template <typename Set, typename Add>
void sum_pairwise(std::size_t first, std::size_t parts, std::int64_t count, const Set& set,
                  const Add& add, float* to) {
  if (parts == 1) {
    set(first, to);
    return;
  }
  const std::size_t left = std::bit_ceil(parts) / 2;
  sum_pairwise(first, left, count, set, add, to);
  if (parts - left == 1) {
    add(first + left, to);
    return;
  }
  std::array<float, kSumBlock> right;
  sum_pairwise(first + left, parts - left, count, set, add, right.data());
  for (std::int64_t i = 0; i < count; ++i) to[i] += right[static_cast<std::size_t>(i)];
}

}  // namespace convoy
