// Edit distance over three rows of its table, and the search for the nearest name.
#include "launcher/nearest.h"

#include <algorithm>
#include <limits>
#include <numeric>
#include <utility>

namespace convoy {

std::size_t edit_distance(std::string_view from, std::string_view to) {
  std::vector<std::size_t> before(to.size() + 1);
  std::vector<std::size_t> above(to.size() + 1);
  std::vector<std::size_t> row(to.size() + 1);
  std::iota(above.begin(), above.end(), std::size_t{0});
  for (std::size_t i = 1; i <= from.size(); ++i) {
    row[0] = i;
    for (std::size_t j = 1; j <= to.size(); ++j) {
      const std::size_t replaced = above[j - 1] + (from[i - 1] == to[j - 1] ? 0 : 1);
      row[j] = std::min({replaced, above[j] + 1, row[j - 1] + 1});
      if (i > 1 && j > 1 && from[i - 1] == to[j - 2] && from[i - 2] == to[j - 1]) {
        row[j] = std::min(row[j], before[j - 2] + 1);
      }
    }
    std::swap(before, above);
    std::swap(above, row);
  }
  return above[to.size()];
}

std::string nearest(std::string_view given, const std::vector<std::string>& names) {
  std::string best;
  std::size_t least = std::numeric_limits<std::size_t>::max();
  for (const std::string& name : names) {
    std::size_t distance = edit_distance(given, name);
    if (const std::size_t dot = name.rfind('.'); dot != std::string::npos) {
      distance = std::min(distance, edit_distance(given, name.substr(dot + 1)) + 1);
    }
    if (distance < least) {
      least = distance;
      best = name;
    }
  }
  return best;
}

}  // namespace convoy
