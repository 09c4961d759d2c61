// Evaluations of a run that trains: when they are due, and what follows from them.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "core/schedule.h"
#include "dist/checkpoint/run_folder.h"
#include "dist/job.h"
#include "dist/step/session.h"
#include "dist/train/evaluator.h"
#include "io/dataset/dataset.h"
#include "io/run/checkpoint.h"

namespace convoy {

class Validation {
 public:
  // Opens data.val, if there is one. Throws Error(usage) where its classes are not the training
  // set's, and what Evaluator throws. Collective. The others must outlive this.
  Validation(Session& session, const Dataset& training, const JobOptions& options);

  // As it was at a checkpoint; `evaluated`: the evaluation after its step is done. Throws
  // Error(usage) where the run was evaluated on other images.
  void restore(const CheckpointInfo& checkpoint, bool evaluated);
  void save(ContinuationInfo& info) const;

  // After `step` steps, for the first time in this run, or again after the checkpoint of that step.
  [[nodiscard]] bool due(std::int64_t step, std::int64_t steps_per_epoch,
                         std::int64_t last_step) const;
  // Every rank calls `between` after each batch; it may throw. Collective.
  [[nodiscard]] EvalResult evaluate(const std::function<void()>& between);
  // Takes a result, whose loss is finite, into account. `folder`: null but on rank 0. True where it
  // is the best so far.
  bool record(const EvalResult& result, std::int64_t step, std::int64_t epochs, RunFolder* folder);

  [[nodiscard]] bool exists() const { return evaluator_.has_value(); }
  [[nodiscard]] std::int64_t drops() const { return plateau_.drops(); }  // of the learning rate

 private:
  Session& session_;
  std::int64_t every_;  // epochs; 0: at the end alone
  std::optional<Dataset> dataset_;
  std::optional<Evaluator> evaluator_;
  std::string fingerprint_;  // of the set that the run is evaluated on; empty: none so far
  PlateauTracker plateau_;
  double best_top1_ = -1;
  std::int64_t first_step_ = 0;  // of this process
  bool first_is_done_ = false;
};

}  // namespace convoy
