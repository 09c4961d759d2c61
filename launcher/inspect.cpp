// `convoy inspect`: describes a dataset, a checkpoint, or the net that the options ask for.
#include "launcher/inspect.h"

#include <ostream>

#include "core/error.h"
#include "launcher/checkpoint_path.h"
#include "launcher/commands.h"

namespace convoy {
namespace {

namespace fs = std::filesystem;

class InspectCommand : public JobCommand {
 public:
  InspectCommand()
      : JobCommand({.name = "inspect",
                    .summary = "describes a dataset, a checkpoint, or a net and what it exchanges",
                    .synopsis = "convoy inspect [PATH | options]",
                    .details =
                        "With PATH, a dataset's folder, a run directory (its newest checkpoint) or "
                        "a checkpoint file: what it holds. Without: the net that the options "
                        "describe, layer by layer, the bytes that a training step moves under "
                        "each strategy, and how the options differ from the paper's."}) {
    options_.number("parallel.ranks", ranks_, Bounds<int>{.low = 1, .high = 1 << 20},
                    "ranks to count the traffic of strategy data for");
  }

  void parse(const std::vector<std::string>& arguments) override {
    const CommandLine line = read(arguments, 1);
    if (!line.positional.empty()) {
      path_ = line.positional.front();
      if (!line.assignments.empty()) {
        fail(ExitCode::usage,
             "inspect describes either {} or the net that options ask for, not both; leave "
             "out the path or --{}",
             path_.string(), line.assignments.front().key);
      }
    }
    resolve(line);
  }

  void run(World*, std::ostream& out) override {
    if (path_.empty()) {
      inspect_net(out);
    } else if (!fs::exists(path_)) {
      fail(ExitCode::bad_data,
           "{} does not exist; inspect takes a dataset's folder, a run "
           "directory or a checkpoint file",
           path_.string());
    } else if (!fs::is_directory(path_)) {
      out << inspect_checkpoint(path_, CheckpointReader(path_));
    } else if (fs::exists(path_ / "checkpoints")) {
      const fs::path newest = newest_checkpoint(path_);
      out << inspect_checkpoint(newest, CheckpointReader(newest));
    } else {
      out << inspect_dataset(Dataset(path_, Verify::never));
    }
  }

 private:
  void inspect_net(std::ostream& out) const {
    const NetSpec net = build_alexnet(job_.model);
    out << inspect_layers(net) << '\n' << inspect_traffic(net, job_.solver.batch, ranks_);
    if (const std::string differences = inspect_differences(job_); !differences.empty()) {
      out << '\n' << differences;
    }
  }

  fs::path path_;
  int ranks_ = 2;
};

}  // namespace

std::unique_ptr<Command> make_inspect() { return std::make_unique<InspectCommand>(); }

}  // namespace convoy
