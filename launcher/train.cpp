// `convoy train`: a rank's part of a training run; mpirun or srun starts several.
#include <filesystem>
#include <ostream>

#include "core/error.h"
#include "dist/checkpoint/resume.h"
#include "launcher/commands.h"
#include "launcher/table.h"

namespace convoy {
namespace {

std::string summary(const TrainResult& result) {
  if (result.trained_steps == 0) {
    return fmt::format(
        "the run is already finished: {} steps, {} epochs, {}; more --run.steps or --run.epochs "
        "train it on\n",
        thousands(result.steps), result.epochs, result.checkpoint.string());
  }
  std::string text =
      fmt::format("{} steps, {} epochs: loss {:.4f}, {:.1f} images/s, {:.1f} ms a step",
                  thousands(result.steps), result.epochs, result.last_loss,
                  result.images_per_second, result.step_ms);
  if (result.comm_bytes > 0) {
    text += fmt::format(" ({:.1f} ms of it waiting for other ranks), {} exchanged a step",
                        result.comm_exposed_ms, bytes_text(result.comm_bytes));
  }
  text += '\n';
  if (result.eval.images > 0) {
    text += fmt::format("validation: top-1 {}, top-5 {} of {} images, {} view{}\n",
                        percent(result.eval.top1), percent(result.eval.top5),
                        thousands(result.eval.images), result.eval.views,
                        result.eval.views == 1 ? "" : "s");
  }
  if (!result.checkpoint.empty()) {
    text += fmt::format("checkpoint: {}\n", result.checkpoint.string());
  }
  return text;
}

class TrainCommand : public JobCommand {
 public:
  TrainCommand()
      : JobCommand({.name = "train",
                    .summary = "trains a net; mpirun or srun starts several ranks",
                    .synopsis = "[mpirun -n N] convoy train --data.train DIR --run.dir DIR "
                                "[--config FILE] [--recipe NAME] [options]",
                    .details =
                        "Trains AlexNet and writes config.ini, metrics.jsonl, logs and "
                        "checkpoints into the run directory. Values come from the defaults (the "
                        "recipe paper), then the recipe, then the configuration file, then the "
                        "command line; the later wins. Where the run directory already holds a "
                        "run, --run.dir alone goes on with it from its newest whole checkpoint, "
                        "under its own options; of those, only how long it trains, what it writes "
                        "and how ranks share the work can be given otherwise. SIGTERM, SIGINT or "
                        "SIGUSR1 to any rank writes a checkpoint and ends all with exit code 75; "
                        "SIGUSR2 writes a checkpoint and goes on.",
                    .parallel = true}) {}

  void parse(const std::vector<std::string>& arguments) override {
    JobCommand::parse(arguments);
    require(job_.run.dir, "run.dir");
    if (holds_run(job_.run.dir)) go_on();
    if (job_.data.train.empty() && std::filesystem::exists(job_.run.dir))
      fail(ExitCode::usage,
           "{} holds no run that could go on, and a new one needs --data.train DIR",
           job_.run.dir.string());
    require(job_.data.train, "data.train");
  }

  void run(World* world, std::ostream& out) override {
    const TrainResult result = train(*world, job_);
    if (world->rank() == 0) out << summary(result);
  }
};

}  // namespace

std::unique_ptr<Command> make_train() { return std::make_unique<TrainCommand>(); }

}  // namespace convoy
