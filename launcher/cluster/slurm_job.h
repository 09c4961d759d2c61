// A SLURM job from outside (submit) and from inside (what the allocation holds, requeue).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace convoy {

// Hands the script to sbatch; returns the job's number. Throws Error(usage) where sbatch is missing
// or refuses it, and for a partition that is not there (empty: not looked for).
[[nodiscard]] std::string submit_job(const std::string& script, const std::string& partition);

// "2(x3),1" -> 2, 2, 2, 1; empty where it is anything else. Slurm writes numbers per node so.
[[nodiscard]] std::vector<std::int64_t> per_node_numbers(std::string_view text);

// The allocation that this process runs in, from its environment.
struct Allocation {
  std::string job;                // its number
  std::int64_t tasks = 0;         // 0: the allocation does not say
  std::int64_t cpus_of_rank = 0;  // on the fullest node; 0: not known
  std::int64_t cpus_on_this_node = 0;
  std::int64_t restarts = 0;  // how often the job was put back
  bool batch = false;
};
// Nothing outside of one. Throws Error(usage) in a step of several tasks, each of which would
// launch.
[[nodiscard]] std::optional<Allocation> current_allocation();

// Puts the running job back into the queue; false, with the reason, where Slurm refuses.
[[nodiscard]] bool requeue_job(const std::string& job, std::string& reason);

}  // namespace convoy
