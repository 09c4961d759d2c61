// Normals and permutations over counted random words.
#include "core/random.h"

#include <cmath>
#include <numbers>
#include <numeric>
#include <utility>

namespace convoy {

std::array<double, 2> normals(std::uint32_t word0, std::uint32_t word1) {
  const double radius = std::sqrt(-2.0 * std::log(uniform(word0)));
  const double angle = 2.0 * std::numbers::pi * uniform(word1);
  return {radius * std::cos(angle), radius * std::sin(angle)};
}

std::vector<std::uint32_t> permutation(const RandomSource& source, std::uint32_t time,
                                       std::uint32_t count) {
  std::vector<std::uint32_t> order(count);
  std::iota(order.begin(), order.end(), 0u);
  for (std::uint32_t i = count; i > 1; --i) {
    const std::uint32_t other = below(source.block(time, i, 0)[0], i);
    std::swap(order[i - 1], order[other]);
  }
  return order;
}

}  // namespace convoy
