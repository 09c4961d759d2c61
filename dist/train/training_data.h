// What a job asks of its training set.
#pragma once

#include "dist/job.h"
#include "io/dataset/dataset.h"
#include "io/read/batch_plan.h"

namespace convoy {

// `options` with model.classes set: those of the training set unless more are asked for. Checked
// before any memory is planned; throws Error(usage) for fewer classes than the training set has,
// Error(bad_data) where it does not fill a batch.
[[nodiscard]] JobOptions with_classes(JobOptions options, const Dataset& dataset);

[[nodiscard]] AugmentOptions augmentation(const JobOptions& options);

}  // namespace convoy
