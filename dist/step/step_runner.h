// One training step, the same for every strategy, device and communicator.
#pragma once

#include <chrono>
#include <memory>

#include "core/ops/add.h"
#include "core/solver.h"
#include "dist/job.h"
#include "dist/step/gradient_reducer.h"
#include "dist/step/input_feed.h"
#include "dist/step/session.h"
#include "io/run/metrics.h"

namespace convoy {

// Trains on batches that are in memory: what the trainer repeats and the benchmark times. On a GPU
// begin() only queues, so that the host can see to the next batch meanwhile.
class StepRunner {
 public:
  StepRunner(Session& session, const JobOptions& options);

  struct Result {
    LossSums sums;  // of the global batch
    StepTimes ms;   // of this rank, from begin() to the end of finish(); data_wait is left to the
                    // caller
  };
  // Whether the gradients of the coming steps are read after them: true until told otherwise.
  void keep_gradients(bool keep) { keeps_gradients_ = keep; }
  // A step on the batch that `feed` holds. `at.step` counts the steps done before it.
  void begin(InputFeed& feed, bool noise, const Progression& at, LayerObserver* observer = nullptr);
  // Waits for the step that was begun.
  Result finish();
  [[nodiscard]] const Solver& solver() const { return solver_; }
  // Of the step that was finished last.
  struct Marks {
    const Event& started;
    const Event& went_forward;
    const Event& went_backward;
    const Event& updated;
  };
  [[nodiscard]] Marks marks() const {
    return {*started_, *went_forward_, *went_backward_, *updated_};
  }

 private:
  void queue(InputFeed& feed, const Pass& pass, bool noise, LayerObserver* observer);
  void add_up_turns(const OpContext& op, int turn);

  Session& session_;
  std::uint64_t seed_;
  std::int64_t own_;  // gradients that are no sum over ranks: the first ones
  // Of the others; null where there are none. Before the solver: it may move the gradients.
  std::unique_ptr<GradientReducer> reducer_;
  Solver solver_;

  std::unique_ptr<AddOp> add_;
  Buffer earlier_turns_;  // the sum of their own_ gradients

  bool keeps_gradients_ = true;
  bool graph_;  // steps run as graphs, once all kernels are loaded
  int warm_steps_ = 0;
  std::chrono::steady_clock::time_point began_;
  std::unique_ptr<Event> started_;  // marks in the stream
  std::unique_ptr<Event> went_forward_;
  std::unique_ptr<Event> went_backward_;
  std::unique_ptr<Event> updated_;
  StepTimes waited_;  // for other ranks, in each part of the step
};

}  // namespace convoy
