// The small net that several tests of dist/ train.
#pragma once

#include "dist/job.h"

namespace convoy {

inline constexpr std::int64_t kBatch = 8;

inline JobOptions small_job() {
  JobOptions job;
  job.model.input = 71;  // fc6 reads 2x2 maps, so the order of its inputs matters
  job.model.kernels = {32, 32, 48, 48, 32};
  job.model.neurons = {64, 48};
  job.model.classes = 7;  // parts of 3 and 4 under model
  // Spreads that let signals through so narrow a net, so that every gradient counts.
  job.model.weight_std = {.01, .05, .07, .07, .07, .1, .1, .1};
  job.model.bias = {0, .1, 0, .1, .1, .1, .1, 0};
  job.solver.batch = kBatch;
  job.solver.schedule = "constant";
  job.solver.lr = 1e-3;
  job.device = {"cpu", 1, "minimal"};
  job.dist.bucket_mb = 0.05;  // several buckets, cut inside tensors
  job.run.seed = 11;
  return job;
}

}  // namespace convoy
