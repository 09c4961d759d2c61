// Where a run stands that a run directory holds: whether it exists, the checkpoint from which it
// goes on, and what must be as it was.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "dist/checkpoint/run_lock.h"
#include "dist/comm/communicator.h"
#include "dist/job.h"
#include "dist/step/session.h"
#include "io/dataset/dataset.h"
#include "io/run/checkpoint.h"

namespace convoy {

// True where the folder holds a run, maybe one that ended before its first step.
[[nodiscard]] bool holds_run(const std::filesystem::path& run_dir);

struct RunState {
  bool exists = false;
  std::unique_ptr<CheckpointReader> checkpoint;  // null: from the beginning
  std::filesystem::path path;                    // of the checkpoint
  bool evaluated = false;                        // the evaluation after its step is in the metrics
  std::string kernels;                           // of kernels.txt, where there is no checkpoint
  std::unique_ptr<RunLock> lock;                 // rank 0, where the run exists
  std::vector<std::string> warnings;             // rank 0

  [[nodiscard]] std::int64_t step() const { return checkpoint ? checkpoint->info().step : 0; }
  [[nodiscard]] KernelRecord record() const;
};

// Rank 0 locks an existing run and takes its newest whole checkpoint; all ranks open it. Throws
// Error(bad_checkpoint) where there are some but none is whole, or the newest is one that no run
// can go on from; Error(usage) where another process has the run. Collective over `everyone`.
[[nodiscard]] RunState find_run(Communicator& everyone, const std::string& host,
                                const std::filesystem::path& run_dir);

// Throws Error(usage) where dataset or global batch are not those of the checkpoint.
void require_same_run(const RunState& run, const Dataset& dataset, const JobOptions& options);

// What a person should know who expects to the last bit the run that was never stopped; sentences.
[[nodiscard]] std::vector<std::string> differences_of_machines(const ContinuationInfo& before,
                                                               Session& session);

}  // namespace convoy
