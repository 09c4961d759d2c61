// The ways in which ranks share the work, and the grid of ranks each of them uses.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/net/spec.h"

namespace convoy {

// The process grid: rank = replica * towers + tower. Replicas hold slices of the global batch,
// towers hold slices of the channels.
struct Grid {
  int replicas = 1;
  int towers = 1;

  [[nodiscard]] int ranks() const { return replicas * towers; }
  [[nodiscard]] int replica(int rank) const { return rank / towers; }
  [[nodiscard]] int tower(int rank) const { return rank % towers; }
};

// single: one rank holds everything. model: one rank per tower (the 2012 paper). data: every rank
// holds the whole net and a slice of the batch. auto: single on one rank, data on several.
struct Strategy {
  std::string name;  // single, model, data
  Grid grid;
};

[[nodiscard]] const std::vector<std::string>& strategy_names();

// Checks that the strategy fits the net, the number of ranks and the global batch. Throws
// Error(usage) with a sentence that says what would fit.
[[nodiscard]] Strategy choose_strategy(std::string_view name, const NetSpec& net, int ranks,
                                       std::int64_t global_batch);

}  // namespace convoy
