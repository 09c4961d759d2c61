// Sentences for people, lines for programs.
#include "dist/train/run_log.h"

#include <fmt/format.h>

namespace convoy {

void log_beginning(RunFolder& folder, const JobOptions& options, const RunState& run,
                   Session& session, const Dataset& dataset, std::int64_t step,
                   std::int64_t steps_per_epoch, std::int64_t snapshot_bytes) {
  if (run.exists) {
    folder.log(run.path.empty()
                   ? fmt::format("{} holds a run without a checkpoint, which starts again",
                                 options.run.dir.string())
                   : fmt::format("goes on after step {} from {}", step, run.path.string()));
  }
  if (run.path.empty() && !options.run.weights.empty())
    folder.log(fmt::format("begins with the weights of {}", options.run.weights.string()));
  folder.log(fmt::format(
      "strategy {} on {} rank(s), {}; {} images of {} classes, {} steps of {} images an epoch, {} "
      "left over each epoch",
      session.strategy().name, session.strategy().grid.ranks(), session.device().description(),
      dataset.size(), dataset.classes().size(), steps_per_epoch, session.global_batch(),
      dataset.size() - steps_per_epoch * session.global_batch()));
  folder.log(session.conv_choice().report());
  folder.log(fmt::format("checkpoints are written from a copy of {:.1f} MB here",
                         static_cast<double>(snapshot_bytes) / 1e6),
             true);
  folder.keep_kernels(session.device().choices().text());
  for (const std::string& warning : run.warnings) folder.warn(warning);
  for (const std::string& warning : session.warnings()) folder.warn(warning);
}

void log_step(RunFolder& folder, const TrainMetrics& line) {
  folder.write(line);
  folder.log(fmt::format("step {} epoch {} loss {:.5f} lr {:g} {:.1f} images/s", line.step,
                         line.epoch, line.loss, line.lr, line.images_per_second),
             true);
}

}  // namespace convoy
