// The checkpoints of a run that trains: when they are taken, and what becomes of them.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <optional>

#include "dist/checkpoint/checkpointer.h"
#include "dist/checkpoint/kept_checkpoints.h"
#include "dist/checkpoint/run_folder.h"
#include "dist/comm/control.h"
#include "dist/job.h"

namespace convoy {

class Checkpoints {
 public:
  // `folder`: null but on rank 0. `start` and `path`: where the run goes on from; no path: from the
  // beginning. The others must outlive this.
  Checkpoints(Checkpointer& checkpointer, Control& control, RunFolder* folder,
              const RunOptions& options, std::int64_t start, std::filesystem::path path);

  // On rank 0: run.checkpoint-minutes have passed since the last one.
  [[nodiscard]] bool due() const;
  // Takes one of the present state, unless this step's is there or under way; waits for an earlier
  // one that is still under way. Collective.
  void begin(const CheckpointInfo& info);
  // Between steps: moves the one under way along. Throws on rank 0 what went wrong with it.
  void progress();
  // Waits until the one under way is whole. Collective.
  void finish();

  // See KeptCheckpoints.
  void best(std::int64_t step);
  void proven(std::int64_t step);
  // On rank 0; empty: none.
  [[nodiscard]] std::filesystem::path last_good() const;
  // After which step, if it is not whole yet; on rank 0.
  [[nodiscard]] std::optional<std::int64_t> good_under_way() const;
  [[nodiscard]] const std::filesystem::path& newest() const { return newest_; }  // that is whole

 private:
  using Clock = std::chrono::steady_clock;

  Checkpointer& checkpointer_;
  Control& control_;
  RunFolder* folder_;
  double minutes_;
  std::optional<KeptCheckpoints> kept_;  // rank 0
  std::int64_t begun_;                   // the step of the last one
  Clock::time_point began_ = Clock::now();
  std::filesystem::path newest_;
};

}  // namespace convoy
