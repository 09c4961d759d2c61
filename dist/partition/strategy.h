// The ways in which ranks share the work, and the grid of ranks each of them uses.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/net/spec.h"

namespace convoy {

// The process grid. Replicas hold slices of the global batch, towers hold slices of the channels.
// As a rule these are two axes, rank = replica * towers + tower, so that the towers of a replica
// are neighbours. With `one_axis` they are the same ranks, replicas = towers: a rank is a replica
// to the convolutions and a tower to the fully connected layers.
struct Grid {
  int replicas = 1;
  int towers = 1;
  bool one_axis = false;

  [[nodiscard]] int ranks() const { return one_axis ? towers : replicas * towers; }
  [[nodiscard]] int replica(int rank) const { return one_axis ? rank : rank / towers; }
  [[nodiscard]] int tower(int rank) const { return one_axis ? rank : rank % towers; }
  // The groups of ranks that differ in nothing but their replica, or their tower.
  [[nodiscard]] int group_of_replicas(int rank) const { return one_axis ? 0 : tower(rank); }
  [[nodiscard]] int group_of_towers(int rank) const { return one_axis ? 0 : replica(rank); }
};

// single: one rank holds everything. model: one rank per tower (the 2012 paper). data: every rank
// holds the whole net and a slice of the batch. hybrid: replicas of pairs of ranks, each pair as
// under model. owt: convolutions as under data, fully connected layers cut by channels over all
// ranks (Krizhevsky 2014, "One weird trick"). auto: single on one rank, data on several.
struct Strategy {
  std::string name;  // single, model, data, hybrid, owt
  Grid grid;
  // owt: the fully connected layers pass one rank's images at a time, in turns (scheme b of the
  // paper), rather than those of all ranks at once (scheme a).
  bool turns = false;
};

[[nodiscard]] const std::vector<std::string>& strategy_names();

// Checks that the strategy fits the net, the number of ranks and the global batch. `owt_scheme`:
// all or turns. Throws Error(usage) with a sentence that says what would fit.
[[nodiscard]] Strategy choose_strategy(std::string_view name, const NetSpec& net, int ranks,
                                       std::int64_t global_batch,
                                       std::string_view owt_scheme = "all");

}  // namespace convoy
