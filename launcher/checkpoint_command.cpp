// Joins what a checkpoint says with what a person asks for.
#include "launcher/checkpoint_command.h"

#include <algorithm>
#include <utility>

#include "core/error.h"
#include "launcher/checkpoint_path.h"

namespace convoy {

CheckpointCommand::CheckpointCommand(CommandInfo info, const std::vector<std::string>& keys)
    : Command(std::move(info)) {
  options_.path("checkpoint", checkpoint_, "FILE", "checkpoint whose net is taken");
  std::vector<std::string> chosen = keys;
  chosen.emplace_back("run.dir");
  options_.add(job_table(given_), chosen);
}

void CheckpointCommand::parse(const std::vector<std::string>& arguments) {
  resolve(read(arguments));
}

void CheckpointCommand::resolve(const CommandLine& line) {
  assign(options_, line.assignments, origin());
  if (checkpoint_.empty() == given_.run.dir.empty()) {
    fail(ExitCode::usage,
         "{} needs either --checkpoint FILE or --run.dir DIR, whose newest checkpoint is taken",
         info().name);
  }
  const auto has = [&](const std::string& key) {
    return std::ranges::find(line.assignments, key, &Assignment::key) != line.assignments.end();
  };
  batch_given_ = has("solver.batch");
  conv_given_ = has("device.conv");
}

std::filesystem::path CheckpointCommand::checkpoint_path() const {
  return checkpoint_.empty() ? newest_checkpoint(given_.run.dir) : checkpoint_;
}

JobOptions CheckpointCommand::job_of(const CheckpointReader& checkpoint) const {
  JobOptions job = convoy::job_of(checkpoint, checkpoint.path());
  if (batch_given_) job.solver.batch = given_.solver.batch;
  job.dist = given_.dist;
  const std::string conv = conv_given_ ? given_.device.conv : job.device.conv;
  job.device = given_.device;
  job.device.conv = conv;
  return job;
}

std::vector<std::string> device_keys() {
  return {"device.kind",      "device.threads",       "device.conv",
          "device.precision", "device.deterministic", "device.workspace-mb"};
}

}  // namespace convoy
