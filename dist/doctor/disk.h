// Whether checkpoints fit onto the disk of the run directory, and how long they take.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

namespace convoy {

struct DiskFacts {
  std::filesystem::path folder;  // the run directory, or its nearest parent that exists
  std::string fault;             // why nothing can be written there; empty: it can
  double free_bytes = 0;
  double bytes_per_second = 0;  // written and synced
};

// Writes 64 MiB into a file of its own, which it removes.
[[nodiscard]] DiskFacts examine_disk(const std::filesystem::path& run_dir);

// Seconds that Slurm leaves a job between SIGTERM and SIGKILL (the larger of KillWait and the
// partition's GraceTime); nothing outside Slurm.
[[nodiscard]] std::optional<double> slurm_seconds_to_end();

// Of what `scontrol show config` or `show partition` prints: the seconds behind KEY, as in
// "KillWait = 30 sec" or "GraceTime=120". Nothing where there are none.
[[nodiscard]] std::optional<double> seconds_of(const std::string& text, const std::string& key);

}  // namespace convoy
