// A command that asks something of a checkpoint: which one, and how its net is to be computed.
#pragma once

#include <string>
#include <vector>

#include "io/run/checkpoint.h"
#include "launcher/command.h"

namespace convoy {

class CheckpointCommand : public Command {
 public:
  // Takes --checkpoint and --run.dir, of which one must be given, and those job options that `keys`
  // names.
  CheckpointCommand(CommandInfo info, const std::vector<std::string>& keys);
  void parse(const std::vector<std::string>& arguments) override;

 protected:
  // Assigns the options and notes what of the job was given.
  void resolve(const CommandLine& line);
  // The one given, or the newest of the run. Throws Error(bad_checkpoint).
  [[nodiscard]] std::filesystem::path checkpoint_path() const;
  // What is computed comes from the checkpoint; how and where, from the command line. Throws
  // Error(bad_checkpoint) for a configuration that is not understood.
  [[nodiscard]] JobOptions job_of(const CheckpointReader& checkpoint) const;
  [[nodiscard]] const JobOptions& given() const { return given_; }

 private:
  std::filesystem::path checkpoint_;
  JobOptions given_;
  bool batch_given_ = false;
  bool conv_given_ = false;
};

// The options of `device` that say where a net is computed, and how exactly.
[[nodiscard]] std::vector<std::string> device_keys();

}  // namespace convoy
