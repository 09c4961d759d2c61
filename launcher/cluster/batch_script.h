// The batch script of a SLURM job.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "launcher/cluster/options.h"

namespace convoy {

// `program` is the path of convoy, `command` what it is to run on the ranks, `folder` where. The
// script hands over to `convoy launch` in the allocation, which receives Slurm's signals itself.
// Throws Error(usage) where nodes and ranks do not fit together.
[[nodiscard]] std::string batch_script(const ClusterOptions& cluster,
                                       const std::filesystem::path& folder,
                                       const std::string& program,
                                       const std::vector<std::string>& command);

// The job's number in what `sbatch --parsable` prints ("12" or "12;cluster"); empty: none.
[[nodiscard]] std::string submitted_job(const std::string& text);

}  // namespace convoy
