// What TensorBoard shows of a run beside its metrics: configuration, first inputs, kernels, and
// histograms of weights and gradients.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "dist/checkpoint/run_folder.h"
#include "dist/job.h"
#include "dist/train/parameter_histograms.h"
#include "io/dataset/dataset.h"

namespace convoy {

// `folder` is null but on rank 0. All are collective.
class BoardLog {
 public:
  // Both must outlive this.
  BoardLog(Session& session, const JobOptions& options);

  // Before the first step of a process, which goes on after `step` steps. Throws what reading the
  // first images throws.
  void begin(const Dataset& dataset, const std::string& config, std::int64_t step,
             RunFolder* folder);
  [[nodiscard]] bool reads_gradients_after(std::int64_t step, std::int64_t last_step) const;
  // After each step; writes where histograms are due.
  void after_step(std::int64_t step, std::int64_t last_step, RunFolder* folder);

 private:
  void show_parameters(std::int64_t step, RunFolder* folder);

  const JobOptions& options_;
  std::int64_t towers_;
  std::optional<ParameterHistograms> histograms_;  // where there are to be any
};

}  // namespace convoy
