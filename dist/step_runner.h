// One training step, the same for every strategy, device and communicator.
#pragma once

#include <memory>

#include "core/solver.h"
#include "dist/gradient_reducer.h"
#include "dist/input_feed.h"
#include "dist/job.h"
#include "dist/session.h"
#include "io/metrics.h"

namespace convoy {

// Trains on a batch that is already in memory: what the trainer repeats and the benchmark times.
class StepRunner {
 public:
  StepRunner(Session& session, const JobOptions& options);

  struct Result {
    LossSums sums;  // of the global batch
    StepTimes ms;   // of this rank; data_wait is left to the caller
  };
  // `at.step` counts the steps done before this one.
  Result run(InputFeed& feed, const Batch& batch, bool noise, const Progression& at,
             LayerObserver* observer = nullptr);
  [[nodiscard]] const Solver& solver() const { return solver_; }

 private:
  Session& session_;
  std::uint64_t seed_;
  // Null where there is one replica. Before the solver: it may move the gradients.
  std::unique_ptr<GradientReducer> reducer_;
  Solver solver_;
};

}  // namespace convoy
