// The solver: momentum or moments of every parameter, learning rates, and the update.
// Krizhevsky et al. 2012, section 5.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "core/device.h"
#include "core/net/network.h"
#include "core/ops/gradient_sink.h"
#include "core/ops/update.h"
#include "core/options.h"
#include "core/schedule.h"

namespace convoy {

class Solver {
 public:
  // `network` must outlive this.
  Solver(Device& device, const Network& network, const SolverOptions& options);

  // Fixes the rates of the coming step. `at.step` counts the steps done before it.
  void begin_step(const Progression& at);
  // Updates the parameters whose gradients lie in `gradients` (floats of Network::gradients()). The
  // ranges of a step must cover every gradient once, in any order and cut anywhere. Several threads
  // may call it at once.
  void update(const OpContext& op, Range gradients);
  // The same for what a pass tells its sink: GradientSink::expect and finished.
  void expect(const GradientBlock& block);
  void update(const OpContext& op, const GradientBlock& block, const float* values,
              std::int64_t values_row);

  // What the solver keeps of every parameter beside its value: each lies as Network::values() does,
  // in the device's memory.
  struct Moment {
    std::string
        suffix;  // of the parameter's kind, in checkpoints: "velocity", "moment1", "moment2"
    float* values;
  };
  [[nodiscard]] std::vector<Moment> moments() const;

  // The base rate times the schedule's factor, for logs.
  [[nodiscard]] double learning_rate() const { return learning_rate_; }
  [[nodiscard]] bool needs_validation() const;

 private:
  struct Part {  // one parameter tensor among the network's contiguous ones
    Range floats;
    bool bias = false;
    bool first_layer = false;  // conv1
    float lr = 0;
  };
  [[nodiscard]] double factor(const Part& part, const Progression& at) const;
  // `count` parameters of `part`, from number `begin` of the network's on, without gradients.
  [[nodiscard]] UpdateSegment segment(const Part& part, std::int64_t begin,
                                      std::int64_t count) const;
  [[nodiscard]] UpdateSegment segment(const GradientBlock& block) const;
  void run(const OpContext& op, std::span<const UpdateSegment> segments);

  SolverOptions options_;
  Schedule schedule_;
  Schedule bias_schedule_;
  Schedule conv1_schedule_;
  std::unique_ptr<UpdateOp> op_;
  std::vector<Part> parts_;
  float* values_;
  const float* gradients_;
  Tensor working_;  // the values themselves, or copies in another type that the update makes anew
  Buffer first_moment_;   // velocity (SGD) or first moment (Adam)
  Buffer second_moment_;  // Adam only
  double learning_rate_ = 0;
  std::int64_t step_ = 0;
};

}  // namespace convoy
