// Walks a step's parts along a clock; gradients follow in buckets.
#include "dist/plan/plan.h"

#include <algorithm>
#include <numeric>

#include "core/error.h"
#include "dist/partition/memory_estimate.h"
#include "dist/partition/step_parts.h"
#include "dist/partition/traffic.h"
#include "dist/plan/collectives.h"

namespace convoy {
namespace {

const LayerCost& cost_of(const DeviceCosts& costs, const std::string& layer) {
  static const LayerCost nothing;
  const auto found = costs.layers.find(layer);
  return found == costs.layers.end() ? nothing : found->second;
}

// All-reduces of gradients, one after another.
class Reductions {
 public:
  Reductions(const PlanInput& input, const GroupPlace& replicas)
      : input_(input), replicas_(replicas) {}

  // So many more bytes of gradients are final at this time.
  void ready(double bytes, double now_ms) {
    waiting_ += bytes;
    while (waiting_ >= input_.bucket_bytes) start(input_.bucket_bytes, now_ms);
  }
  // When the last one is over, if all gradients are final at `now_ms`.
  double end(double now_ms) {
    if (waiting_ > 0) start(waiting_, now_ms);
    return std::max(now_ms, input_.cluster.overlap ? free_ms_ : now_ms + all_ms_);
  }
  [[nodiscard]] double all_ms() const { return all_ms_; }

 private:
  void start(double bytes, double now_ms) {
    const double ms = all_reduce_ms(input_.cluster, replicas_, bytes);
    free_ms_ = std::max(free_ms_, now_ms) + ms;
    all_ms_ += ms;
    waiting_ -= bytes;
  }

  const PlanInput& input_;
  GroupPlace replicas_;
  double waiting_ = 0;
  double free_ms_ = 0;
  double all_ms_ = 0;
};

}  // namespace

Prediction predict(const PlanInput& input, const Strategy& strategy, std::int64_t batch) {
  const ClusterSpec& cluster = input.cluster;
  const bool alone = strategy.grid.ranks() == 1 && !input.costs_alone.layers.empty();
  const DeviceCosts& costs = alone ? input.costs_alone : input.costs;
  const GroupPlace towers = place_towers(cluster, strategy.grid);
  const GroupPlace replicas = place_replicas(cluster, strategy.grid);
  const std::vector<StepPart> parts = step_parts(input.net, strategy, batch, input.activations);

  Prediction prediction;
  prediction.strategy = strategy;
  prediction.batch = batch;
  prediction.rest_ms = costs.rest_ms;
  for (const StepPart& part : parts) {
    prediction.exchange_ms +=
        all_gather_ms(cluster, towers, static_cast<double>(part.forward_bytes));
    if (part.spec != nullptr)
      prediction.compute_ms += cost_of(costs, part.layer).forward.ms(part.share, part.images);
  }
  double now_ms = prediction.compute_ms + prediction.exchange_ms;
  Reductions reductions(input, replicas);
  double update_ms = 0;
  double gradient_bytes = 0;
  for (auto part = parts.rbegin(); part != parts.rend(); ++part) {
    const double moving =
        reduce_scatter_ms(cluster, towers, static_cast<double>(part->backward_bytes));
    prediction.exchange_ms += moving;
    now_ms += moving;
    if (part->spec == nullptr) continue;
    const LayerCost& cost = cost_of(costs, part->layer);
    const double backward = cost.backward.ms(part->share, part->images);
    prediction.compute_ms += backward;
    now_ms += backward;
    update_ms += part->share * cost.update_ms;
    if (!part->copied || part->parameters == 0) continue;
    const double bytes = static_cast<double>(part->parameters) * sizeof(float);
    gradient_bytes += bytes;
    reductions.ready(bytes, now_ms);
  }
  prediction.gradient_ms = reductions.end(now_ms) - now_ms;
  prediction.all_reduce_ms = reductions.all_ms();
  prediction.compute_ms += update_ms;
  if (gradient_bytes > 0)
    prediction.all_reduce =
        chosen_all_reduce(cluster, replicas, std::min(gradient_bytes, input.bucket_bytes));
  prediction.step_ms =
      prediction.compute_ms + prediction.exchange_ms + prediction.gradient_ms + prediction.rest_ms;
  for (const TrafficLine& line : predict_traffic(input.net, strategy, batch, input.activations)) {
    prediction.payload_bytes += line.payload_bytes;
    prediction.wire_bytes += line.wire_bytes;
  }
  prediction.memory_bytes = estimate_memory(input.net, strategy, batch, input.activations);
  return prediction;
}

Strategy fit_strategy(const std::string& name, const NetSpec& net, int ranks, std::int64_t batch) {
  int asked = ranks;
  if (name == "single") asked = 1;
  if (name == "model") asked = std::min<int>(ranks, static_cast<int>(net.towers));
  return choose_strategy(name, net, asked, batch);
}

std::vector<Lead> leads(const PlanInput& input, const std::vector<std::string>& names, int ranks,
                        std::int64_t low, std::int64_t high) {
  // Every strategy takes multiples of the ranks.
  const std::int64_t unit = ranks;
  const auto quickest = [&](std::int64_t units) {
    std::string best;
    double least = 0;
    for (const std::string& name : names) {
      try {
        const double ms =
            predict(input, fit_strategy(name, input.net, ranks, units * unit), units * unit)
                .step_ms;
        if (best.empty() || ms < least) {
          best = name;
          least = ms;
        }
      } catch (const Error& error) {
        if (error.code() != ExitCode::usage) throw;
      }
    }
    return best;
  };
  std::int64_t at = std::max<std::int64_t>(1, low / unit);
  const std::int64_t last = std::max(at, high / unit);
  std::vector<Lead> found{{at * unit, quickest(at)}};
  while (at < last) {
    // Steps of a quarter: two changes within one would be missed, and hardly matter.
    const std::int64_t next = std::min(last, at + std::max<std::int64_t>(1, at / 4));
    const std::string winner = quickest(next);
    if (winner != found.back().strategy) {
      std::int64_t before = at;
      std::int64_t after = next;
      while (after - before > 1) {
        const std::int64_t middle = before + (after - before) / 2;
        (quickest(middle) == winner ? after : before) = middle;
      }
      found.push_back({after * unit, winner});
    }
    at = next;
  }
  return found;
}

}  // namespace convoy
