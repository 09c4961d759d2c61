// What a run says of itself, to log.txt, metrics.jsonl and TensorBoard.
#pragma once

#include <cstdint>

#include "dist/checkpoint/resume.h"
#include "dist/checkpoint/run_folder.h"
#include "dist/job.h"
#include "dist/step/session.h"
#include "io/dataset/dataset.h"
#include "io/run/metrics.h"

namespace convoy {

// Where it begins, and how. `snapshot_bytes`: that checkpoints take on this rank.
void log_beginning(RunFolder& folder, const JobOptions& options, const RunState& run,
                   Session& session, const Dataset& dataset, std::int64_t step,
                   std::int64_t steps_per_epoch, std::int64_t snapshot_bytes);

void log_step(RunFolder& folder, const TrainMetrics& line);

}  // namespace convoy
