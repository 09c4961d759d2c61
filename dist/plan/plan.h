// Predicts a training step on a described cluster: the model of `convoy plan`.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "dist/partition/strategy.h"
#include "dist/plan/cluster.h"
#include "dist/plan/layer_costs.h"

namespace convoy {

struct PlanInput {
  NetSpec net;
  ClusterSpec cluster;
  DeviceCosts costs;
  // Of a rank that computes while its neighbours do not, which leave it more of the memory's rate:
  // strategies on one rank. Empty: as `costs`.
  DeviceCosts costs_alone;
  DType activations = DType::f32;
  double bucket_bytes = 25e6;  // of gradients that are reduced together
};

// A step of one strategy. Ranks keep step, so one stands for all.
struct Prediction {
  Strategy strategy;
  std::int64_t batch = 0;
  double step_ms = 0;      // the sum of the next four
  double compute_ms = 0;   // forward, backward, update
  double exchange_ms = 0;  // of activations and their gradients; nothing hides it
  double gradient_ms = 0;  // of all-reduces, as far as backward does not hide them
  double rest_ms = 0;
  double all_reduce_ms = 0;        // with what is hidden
  std::string all_reduce;          // the algorithm; empty: no gradients travel
  std::int64_t payload_bytes = 0;  // of a rank (traffic.h)
  std::int64_t wire_bytes = 0;
  std::int64_t memory_bytes = 0;  // at least (memory_estimate.h)

  [[nodiscard]] double images_per_second() const {
    return 1000 * static_cast<double>(batch) / step_ms;
  }
};

[[nodiscard]] Prediction predict(const PlanInput& input, const Strategy& strategy,
                                 std::int64_t batch);

// The strategy on as many ranks as there are, or, where it runs on fewer only, on those (single on
// 1, model on a rank a tower). Throws Error(usage) where it does not fit.
[[nodiscard]] Strategy fit_strategy(const std::string& name, const NetSpec& net, int ranks,
                                    std::int64_t batch);

// From this batch on, until the next line, this strategy is the quickest.
struct Lead {
  std::int64_t from_batch = 0;
  std::string strategy;
};
// Batches from `low` to `high` that every strategy of `names` takes; those that never fit are left
// out. Changes are found to the smallest step of the batch.
[[nodiscard]] std::vector<Lead> leads(const PlanInput& input, const std::vector<std::string>& names,
                                      int ranks, std::int64_t low, std::int64_t high);

}  // namespace convoy
