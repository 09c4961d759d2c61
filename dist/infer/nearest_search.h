// The rows of a table of features that lie nearest to given ones, by a matrix product.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "io/run/feature_file.h"

namespace convoy {

struct Neighbour {
  std::int64_t row = 0;
  double distance = 0;  // Euclidean
};

// For each of the queries [Q, D] the `count` nearest rows, nearest first; of equally distant ones
// the earlier first. Candidates come from |q - f|^2 = |q|^2 - 2 (q f - |f|^2 / 2), whose rounding
// errors grow with |f|; their distances are then computed term by term. Each of the threads
// searches a part of the rows on its own.
[[nodiscard]] std::vector<std::vector<Neighbour>> nearest_rows(const FeatureReader& features,
                                                               std::span<const float> queries,
                                                               std::int64_t count, int threads);

}  // namespace convoy
