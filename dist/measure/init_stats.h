// `convoy inspect --init-stats`: what a recipe's initial values do to signals, and what each single
// change to the recipe would.
#pragma once

#include <string>
#include <vector>

#include "dist/job.h"
#include "dist/measure/layer_spread.h"

namespace convoy {

struct InitStatsOptions {
  JobOptions job;           // trained on random pixels where job.data.train is empty
  std::int64_t steps = 10;  // training steps between the two looks; 0: one look
};

// The net as the passes over one batch find it, before the step that would train on it.
struct InitMoment {
  std::int64_t step = 0;  // steps done
  double loss = 0;
  std::vector<LayerSpread> layers;  // the last is the logits'
};

// A run under one change.
struct InitEffect {
  std::string change;
  ValueSpread logits;  // at initialisation
  double loss = 0;     // at initialisation
  // Mean of the last steps' losses, ten at most, and the logits after them; where all steps were
  // made.
  double later_loss = 0;
  ValueSpread later_logits;
  std::int64_t diverged_at = 0;  // step whose loss was not finite; 0: none
};

struct InitStats {
  std::int64_t steps = 0;           // between the looks
  std::vector<InitMoment> moments;  // of the job as it is
  std::vector<InitEffect> effects;  // of the job as it is, then of each change
};

// A run for each change, one after another, on one rank. Throws Error(usage) on several.
[[nodiscard]] InitStats measure_init_stats(World& world, const InitStatsOptions& options);

// The changes: each turns one choice of `job` into the other one that recipes know. Those to
// initial values are only there for AlexNet, since a described net has its own, and that to the
// augmentation where images come from a dataset.
struct InitChange {
  std::string name;
  JobOptions job;
};
[[nodiscard]] std::vector<InitChange> init_changes(const JobOptions& job);

}  // namespace convoy
