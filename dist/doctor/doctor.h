// `convoy doctor`: what is to be put right before a long run, found on every rank.
#pragma once

#include <string>
#include <vector>

#include "core/error.h"
#include "dist/comm/communicator.h"
#include "dist/job.h"

namespace convoy {

struct Finding {
  std::string topic;  // "links", "data.train"
  std::string text;   // what was found; where it is bad also what to do about it
  bool good = true;
  ExitCode code = ExitCode::done;  // what a run would end with, where it is bad
};

// Examines ranks, hosts, devices, libraries, clocks, links, the datasets and run directory of
// `job`, in the order of findings. Collective; the findings are rank 0's. What is wrong with a rank
// becomes a finding: only a failure of communication throws.
[[nodiscard]] std::vector<Finding> examine(World& world, const JobOptions& job);

}  // namespace convoy
