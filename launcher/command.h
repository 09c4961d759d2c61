// What every subcommand of `convoy` is: a name, options, help, and something to do.
#pragma once

#include <filesystem>
#include <iosfwd>
#include <string>
#include <vector>

#include "dist/comm/communicator.h"
#include "launcher/assignments.h"
#include "launcher/option_table.h"
#include "launcher/options.h"

namespace convoy {

struct CommandInfo {
  std::string name;
  std::string summary;    // a line for `convoy help`
  std::string synopsis;   // "convoy pack --input DIR --output DIR [options]"
  std::string details;    // a paragraph for `convoy help NAME`
  bool parallel = false;  // several ranks may run it: it needs MPI
};

class Command {
 public:
  explicit Command(CommandInfo info) : info_(std::move(info)) {}
  virtual ~Command() = default;
  Command(const Command&) = delete;
  Command& operator=(const Command&) = delete;

  [[nodiscard]] const CommandInfo& info() const { return info_; }
  [[nodiscard]] const OptionTable& options() const { return options_; }
  [[nodiscard]] std::string help() const;
  // What a person should know before the run, once parsed; empty: nothing.
  [[nodiscard]] const std::string& warning() const { return warning_; }

  // Throws Error(usage) for whatever cannot be honoured.
  virtual void parse(const std::vector<std::string>& arguments);
  // Results go to `out`. `world` is null where the command is not parallel; of several ranks only
  // rank 0 prints.
  virtual void run(World* world, std::ostream& out) = 0;

 protected:
  [[nodiscard]] Origin origin() const { return command_line_origin(info_.name); }
  // Reads the command line against options() and refuses positional arguments beyond
  // `positional_limit`.
  [[nodiscard]] CommandLine read(const std::vector<std::string>& arguments,
                                 std::size_t positional_limit = 0) const;
  // Refuses a path that was not given.
  void require(const std::filesystem::path& path, const std::string& key) const;
  // Refuses what the option `key` names as a file to write, as require_output() does: the paths of
  // all other options, and `further` ones, are those that the command reads.
  void require_output(const std::string& key,
                      std::vector<std::filesystem::path> further = {}) const;

  OptionTable options_;
  std::string warning_;

 private:
  CommandInfo info_;
};

// A command that works on a job: takes every job option, --recipe and --config.
class JobCommand : public Command {
 public:
  explicit JobCommand(CommandInfo info);
  void parse(const std::vector<std::string>& arguments) override;

 protected:
  // Assigns the command's own options and resolves the job from file and command line.
  void resolve(const CommandLine& line);
  // Resolves it anew as that of the run in job_.run.dir, to go on with (continue_job).
  void go_on();
  // Resolves it anew over the configuration of another file, which stands in the place of --config:
  // `ini`, named `name` in messages. Returns whether the command line says anything besides. Throws
  // Error(bad_checkpoint) where it cannot be read, Error(usage) where --config or --recipe are
  // given, too.
  bool resolve_over(const std::string& ini, const std::string& name);

  JobOptions job_;

 private:
  std::filesystem::path config_;
  std::vector<Assignment> of_file_;
  std::vector<Assignment> of_line_;
};

}  // namespace convoy
