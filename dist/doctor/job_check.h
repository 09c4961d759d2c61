// Whether a job can begin at all: its net, strategy, convolutions, batch and images fit together.
#pragma once

#include "core/device.h"
#include "dist/doctor/doctor.h"
#include "dist/job.h"

namespace convoy {

// On so many ranks, each with a device like this. Opens data.train where it is given; what is wrong
// with the dataset itself is not said again.
[[nodiscard]] Finding judge_job(const JobOptions& job, int ranks, const Device& device);

}  // namespace convoy
