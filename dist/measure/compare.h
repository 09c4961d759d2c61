// `convoy compare`: the same net, seed and data under several strategies on the same ranks.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "dist/job.h"
#include "dist/partition/strategy.h"
#include "dist/partition/traffic.h"
#include "dist/spread.h"

namespace convoy {

struct CompareOptions {
  JobOptions job;
  std::vector<std::string> strategies;  // empty: all that fit net, batch and ranks
  std::int64_t rounds = 5;
  std::int64_t steps = 3;     // measured, in each strategy's turn of a round
  std::int64_t warmup = 1;    // before them in each turn, not measured
  std::string hold = "auto";  // all nets in memory at once ("all"), or one after another ("one")
};

// Milliseconds of a step: over ranks, of each rank's median over the measured steps.
struct SplitTimes {
  Spread step;
  Spread forward;
  Spread backward;
  Spread comm_exposed;
  Spread data_wait;
  Spread update;
};

// Bytes of a step that concern a layer, as one rank hands them over.
struct LayerTraffic {
  std::string layer;
  std::int64_t activation_bytes = 0;  // in exchanges before the layer, both passes
  std::int64_t gradient_bytes = 0;    // of its weights and biases
};

struct StrategyResult {
  Strategy strategy;
  [[nodiscard]] int ranks() const { return strategy.grid.ranks(); }
  Spread images_per_second;         // over rounds
  std::vector<double> round_rates;  // images/s of each round
  SplitTimes ms;
  Spread payload_bytes;               // of a step, over ranks, as communicators counted
  std::int64_t predicted_bytes = 0;   // by predict_traffic, of rank 0
  std::int64_t gradient_bytes = 0;    // of the predicted ones
  Spread memory_bytes;                // over ranks
  std::vector<LayerTraffic> traffic;  // of rank 0
  std::vector<LayerTime> layers;      // of rank 0
  std::vector<double> losses;         // of every step, unmeasured ones too
  double loss_difference = 0;         // the largest one from the reference's, relative
  bool same_bits = true;              // as the reference's losses
};

struct RefusedStrategy {
  std::string name;
  std::string why;
};

struct CompareResult {
  std::vector<StrategyResult> strategies;  // the first is the reference of the losses
  std::vector<RefusedStrategy> refused;    // where all that fit were asked for
  NetSpec net;
  std::string device;
  std::string conv;  // how convolutions were computed, under every strategy
  int ranks = 1;
  int hosts = 1;
  std::int64_t batch = 0;
  bool held_at_once = true;
  bool waits_are_apart = true;  // comm_exposed holds all waiting; on GPUs passes hold most of it
  bool random_data = true;
  std::vector<std::string> warnings;
};

// Collective; the result is rank 0's. The strategies take turns, forwards and backwards through
// the list, each turn the next steps of its own run. `single` runs on rank 0 alone, with the
// threads that the rank has under the others, while the other ranks sleep. Nets that do not fit
// into memory together are made anew for each turn, and every turn then trains the first steps.
// Convolutions are computed in one way under all strategies: where device.conv leaves a choice, the
// first strategy's. Nothing is written. Throws Error(usage) for a strategy that does not fit or is
// named twice, Error(diverged) when a loss is not finite.
[[nodiscard]] CompareResult compare(World& world, const CompareOptions& options);

}  // namespace convoy
