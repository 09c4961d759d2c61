// `convoy inspect`: describes a dataset, a checkpoint, or the net that the options ask for.
#include "launcher/inspect.h"

#include <algorithm>
#include <ostream>

#include "core/error.h"
#include "dist/measure/init_stats.h"
#include "dist/watch/collective_record.h"
#include "launcher/commands.h"
#include "launcher/init_report.h"
#include "launcher/recipes_table.h"

namespace convoy {
namespace {

namespace fs = std::filesystem;

class InspectCommand : public JobCommand {
 public:
  InspectCommand()
      : JobCommand(
            {.name = "inspect",
             .summary = "describes a dataset, a checkpoint, runs, or a net and what it exchanges",
             .synopsis = "convoy inspect [PATH ... | options]",
             .details =
                 "With PATH, a dataset's folder or a checkpoint file: what it holds; run "
                 "directories, one or several: their figures side by side, and for one "
                 "that did not end well which rank stood where (RUN/collectives shows it "
                 "for any run). Without: the net "
                 "that the options describe, layer by layer, the bytes that a training step "
                 "moves under "
                 "each strategy, and how the options differ from the paper's; with --init-stats, "
                 "what initial weights and inputs do to its signals."}) {
    options_.number("parallel.ranks", ranks_, Bounds<int>{.low = 1, .high = 1 << 20},
                    "ranks to count the traffic of strategies data, hybrid and owt for");
    options_.flag("init-stats", init_stats_,
                  "measures how activations, gradients and logits of the net spread at "
                  "initialisation and after some steps, on the images of data.train or on random "
                  "pixels, and what single changes to the recipe do to them");
    options_.number("init-steps", init_steps_, {.low = 0, .high = 1'000'000},
                    "training steps of init-stats; 0: none, initialisation only");
    options_.flag("recipes", recipes_, "all recipes side by side, as a table in Markdown");
  }

  void parse(const std::vector<std::string>& arguments) override {
    const CommandLine line = read(arguments, kMostPaths);
    if (!line.positional.empty()) {
      paths_.assign(line.positional.begin(), line.positional.end());
      if (!line.assignments.empty()) {
        fail(ExitCode::usage,
             "inspect describes either {} or the net that options ask for, not both; leave "
             "out the path or --{}",
             paths_.front().string(), line.assignments.front().key);
      }
    }
    resolve(line);
    refuse_idle_options(line);
  }

  void run(World*, std::ostream& out) override {
    if (init_stats_) {
      World alone(nullptr, nullptr);
      out << init_report(measure_init_stats(alone, {job_, init_steps_}), job_);
      return;
    }
    if (recipes_) {
      out << recipes_table();
      return;
    }
    if (paths_.empty()) {
      inspect_net(out);
      return;
    }
    for (const fs::path& path : paths_) require_exists(path);
    if (paths_.size() == 1 && is_run(paths_.front())) {
      inspect_run(paths_.front(), out);
      return;
    }
    if (std::ranges::all_of(paths_, is_run)) {
      out << inspect_runs(paths_);
      return;
    }
    if (paths_.size() > 1) {
      fail(ExitCode::usage,
           "inspect sets only run directories side by side; give one dataset or checkpoint at a "
           "time");
    }
    const fs::path& path = paths_.front();
    if (fs::exists(record_path(path.parent_path(), 0)) && path.filename() == "collectives") {
      out << inspect_collectives(path);
    } else if (fs::is_directory(path)) {
      out << inspect_dataset(Dataset(path, Verify::never));
    } else {
      out << inspect_checkpoint(path, CheckpointReader(path));
    }
  }

 private:
  static constexpr std::size_t kMostPaths = 64;

  // An option that would change nothing.
  void refuse_idle_options(const CommandLine& line) const {
    if (recipes_ && line.assignments.size() > 1) {
      fail(ExitCode::usage, "--recipes shows all recipes as they are and takes no other options");
    }
    const auto sets_steps = [](const Assignment& a) { return a.key == "init-steps"; };
    if (!init_stats_ && std::ranges::any_of(line.assignments, sets_steps)) {
      fail(ExitCode::usage, "--init-steps counts the steps of --init-stats, which is not given");
    }
  }

  static bool is_run(const fs::path& path) { return fs::exists(path / "metrics.jsonl"); }

  // A run that did not end well may have no figures yet; then where it stood is all there is to
  // say.
  static void inspect_run(const fs::path& run, std::ostream& out) {
    const fs::path collectives = run / "collectives";
    if (ended_well(collectives)) {
      out << inspect_runs({run});
      return;
    }
    if (fs::file_size(run / "metrics.jsonl") > 0) out << inspect_runs({run}) << '\n';
    out << inspect_collectives(collectives);
  }

  static void require_exists(const fs::path& path) {
    std::error_code ignored;
    if (fs::exists(path, ignored)) return;
    fail(
        ExitCode::bad_data,
        "{} does not exist; inspect takes a dataset's folder, run directories or a checkpoint file",
        path.string());
  }

  void inspect_net(std::ostream& out) const {
    const NetSpec net = build_net(job_.model);
    const DType activations = job_.device.precision == "bf16" ? DType::bf16 : DType::f32;
    out << inspect_layers(net, job_.model.net.empty() ? "AlexNet" : "Net as described,") << '\n'
        << inspect_traffic(net, job_.solver.batch, ranks_, activations, job_.dist.owt_scheme);
    if (const std::string differences = inspect_differences(job_); !differences.empty()) {
      out << '\n' << differences;
    }
  }

  std::vector<fs::path> paths_;
  int ranks_ = 2;
  bool init_stats_ = false;
  std::int64_t init_steps_ = 10;
  bool recipes_ = false;
};

}  // namespace

std::unique_ptr<Command> make_inspect() { return std::make_unique<InspectCommand>(); }

}  // namespace convoy
