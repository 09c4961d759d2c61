// What the net sees in training: augmented inputs as they reach its first layer, made visible
// again.
#pragma once

#include <cstdint>
#include <vector>

#include "dist/job.h"
#include "io/dataset/dataset.h"
#include "io/read/batch_plan.h"

namespace convoy {

struct SampledInput {
  std::int64_t step = 0;   // of the run, counted from 1
  std::int64_t place = 0;  // in the global batch
  std::int64_t sample = 0;
  std::int32_t label = 0;
  CropRecord record;
  std::vector<std::uint8_t> pixels;  // [crop, crop, 3] RGB
};

// The first `images` inputs of a run from the step after `steps_done`, through the same plan,
// reader and input transformation as in training. Mean and scale are undone, so that crop, mirror
// and colour noise are what can be seen; values outside 0..255 are cut. Throws Error(usage,
// bad_data) as training does.
[[nodiscard]] std::vector<SampledInput> sample_inputs(const Dataset& dataset, const JobOptions& job,
                                                      std::int64_t steps_done, std::int64_t images);

}  // namespace convoy
