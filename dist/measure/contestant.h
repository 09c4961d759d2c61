// One strategy in a comparison, as one rank runs it.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "dist/measure/compare.h"
#include "dist/step/input_feed.h"
#include "dist/step/session.h"
#include "dist/step/step_runner.h"
#include "dist/train/random_batches.h"
#include "io/dataset/dataset.h"

namespace convoy {

class Contestant {
 public:
  // `job` names the strategy; `dataset` null: random batches. Collective over `world`.
  Contestant(World& world, const JobOptions& job, const Dataset* dataset, std::int64_t last_step);

  struct Turn {
    std::vector<StepTimes> steps;  // the measured ones
    double wall_ms = 0;            // from the first measured step's beginning to the last one's end
    std::int64_t payload_bytes = 0;  // of a step
    std::vector<double> losses;      // warm-up steps too
  };
  // The next steps of the run. Collective over the world of this strategy.
  Turn turn(std::int64_t warmup, std::int64_t steps);
  // Passes over the coming step's batch, after which nothing is updated: forward as in a test,
  // whose outputs no dropout blurs, then a step's own, of which backward is observed. The mean loss
  // of the latter. For a world of one rank.
  double observed_passes(LayerObserver& observer);
  // Further steps with a clock in every layer.
  std::vector<LayerTime> observed_layers(std::int64_t steps);

  [[nodiscard]] Session& session() { return session_; }
  [[nodiscard]] std::int64_t steps_done() const { return step_; }

 private:
  class Reading;
  [[nodiscard]] std::int64_t epoch() const;
  [[nodiscard]] bool noise() const;  // the coming step's batch carries colour noise
  // Gives the feed a step's batch; returns the ms waited for it.
  double fetch(Reader* reader, std::int64_t step);
  StepRunner::Result step(Reader* reader, bool more, LayerObserver* observer);

  JobOptions job_;
  const Dataset* dataset_;
  std::int64_t last_step_;
  Session session_;
  InputFeed feed_;
  StepRunner runner_;
  std::optional<RandomBatches> random_;
  std::int64_t step_ = 0;
};

}  // namespace convoy
