// Holds a run under a strategy against the same run on one rank: gradients of a step, losses of
// twenty, and how far every tensor has moved.
#pragma once

#include <cmath>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "tests/dist/test_world.h"
#include "tests/dist/training_run.h"

namespace convoy {

// |a - b| / |b| of a parameter's local rows; `b` holds the whole tensor.
inline double difference(const Parameter& part, const float* a, const float* whole) {
  const float* b = whole + part.rows.begin * part.logical.per_row();
  double error = 0;
  double norm = 0;
  for (std::int64_t i = 0; i < part.local().count(); ++i) {
    const auto x = static_cast<double>(a[i]);
    const auto y = static_cast<double>(b[i]);
    error += (x - y) * (x - y);
    norm += y * y;
  }
  EXPECT_GT(norm, 0) << part.layer << " " << part.kind << " has no signal";
  return std::sqrt(error / norm);
}

inline void expect_equal(TrainingRun& split, TrainingRun& whole) {
  const auto parts = split.session.network().parameters();
  const auto wholes = whole.session.network().parameters();
  const std::vector<float> split_start = split.values();
  const std::vector<float> whole_start = whole.values();

  // One step: gradients.
  EXPECT_NEAR(split.step(0) / whole.step(0), 1, 1e-6);
  for (std::size_t i = 0; i < parts.size(); ++i) {
    EXPECT_LT(difference(*parts[i], parts[i]->gradient.f32(), wholes[i]->gradient.f32()), 1e-5)
        << "gradient of " << parts[i]->layer << " " << parts[i]->kind;
  }
  // Twenty steps: losses at each, and the change of every tensor.
  for (std::int64_t step = 1; step < 20; ++step) {
    EXPECT_NEAR(split.step(step) / whole.step(step), 1, 1e-4) << "step " << step;
  }
  std::vector<float> split_change = split.values();
  std::vector<float> whole_change = whole.values();
  for (std::size_t i = 0; i < split_change.size(); ++i) split_change[i] -= split_start[i];
  for (std::size_t i = 0; i < whole_change.size(); ++i) whole_change[i] -= whole_start[i];
  std::int64_t split_offset = 0;
  std::int64_t whole_offset = 0;
  for (const Parameter* part : parts) {
    EXPECT_LT(
        difference(*part, split_change.data() + split_offset, whole_change.data() + whole_offset),
        1e-2)
        << "change of " << part->layer << " " << part->kind;
    split_offset += part->local().count();
    whole_offset += part->logical.count();
  }
}

inline void compare_with_single(World& world, JobOptions job, const std::string& strategy) {
  const auto alone = test_world().part(test_world().rank());
  job.dist.strategy = strategy;
  TrainingRun split(world, job);
  job.dist.strategy = "single";
  TrainingRun whole(*alone, job);
  expect_equal(split, whole);
}

}  // namespace convoy
