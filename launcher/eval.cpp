// `convoy eval`: accuracy of a checkpoint on a dataset.
#include <algorithm>
#include <ostream>

#include <nlohmann/json.hpp>

#include "core/error.h"
#include "io/run/checkpoint.h"
#include "launcher/checkpoint_path.h"
#include "launcher/commands.h"
#include "launcher/table.h"

namespace convoy {
namespace {

class EvalCommand : public Command {
 public:
  EvalCommand()
      : Command({.name = "eval",
                 .summary = "top-1 and top-5 of a checkpoint, centre crop or 10 views",
                 .synopsis = "[mpirun -n N] convoy eval (--checkpoint FILE | --run.dir DIR) "
                             "[--data DIR] [options]",
                 .details = "Runs a checkpoint's net over every image of a dataset once. Net, "
                            "preprocessing and the mean come from the checkpoint.",
                 .parallel = true}) {
    options_.path("checkpoint", eval_.checkpoint, "FILE", "checkpoint to evaluate");
    options_.path("data", eval_.data, "DIR",
                  "packed dataset; empty: the data.val of the checkpoint's run");
    options_.choice("views", eval_.views, std::vector<int>{1, 10},
                    "views of an image: its centre, or 10 (paper, section 4.1)");
    options_.flag("json", json_, "print one JSON object");
    options_.add(job_table(given_),
                 {"run.dir", "solver.batch", "data.threads", "data.ahead", "data.verify",
                  "data.read", "parallel.strategy", "parallel.owt-scheme", "dist.backend",
                  "device.kind", "device.threads", "device.conv", "device.precision",
                  "device.deterministic", "device.workspace-mb"});
  }

  void parse(const std::vector<std::string>& arguments) override {
    const CommandLine line = read(arguments);
    assign(options_, line.assignments, origin());
    if (eval_.checkpoint.empty() == given_.run.dir.empty()) {
      fail(ExitCode::usage,
           "eval needs either --checkpoint FILE or --run.dir DIR, whose newest checkpoint "
           "is taken");
    }
    const auto given = [&](const std::string& key) {
      return std::any_of(line.assignments.begin(), line.assignments.end(),
                         [&](const Assignment& a) { return a.key == key; });
    };
    batch_given_ = given("solver.batch");
    conv_given_ = given("device.conv");
  }

  void run(World* world, std::ostream& out) override {
    read_checkpoint();
    const EvalResult result = evaluate_checkpoint(*world, eval_);
    if (world->rank() != 0) return;
    if (json_) {
      const nlohmann::ordered_json json{{"kind", "eval"},
                                        {"checkpoint", eval_.checkpoint.string()},
                                        {"data", eval_.data.string()},
                                        {"images", result.images},
                                        {"views", result.views},
                                        {"loss", result.loss},
                                        {"top1", result.top1},
                                        {"top5", result.top5}};
      out << json.dump() << '\n';
    } else {
      out << fmt::format("top-1 {}, top-5 {}, loss {:.4f}: {} images of {}, {} view{}\n",
                         percent(result.top1), percent(result.top5), result.loss,
                         thousands(result.images), eval_.data.string(), result.views,
                         result.views == 1 ? "" : "s");
    }
  }

 private:
  // What is computed comes from the checkpoint; how and where, from the command line.
  void read_checkpoint() {
    if (eval_.checkpoint.empty()) eval_.checkpoint = newest_checkpoint(given_.run.dir);
    eval_.job = job_of(CheckpointReader(eval_.checkpoint), eval_.checkpoint);
    if (eval_.data.empty()) eval_.data = eval_.job.data.val;
    if (eval_.data.empty()) {
      fail(ExitCode::usage, "eval needs --data DIR: {} was trained without data.val",
           eval_.checkpoint.string());
    }
    if (batch_given_) eval_.job.solver.batch = given_.solver.batch;
    eval_.job.data = given_.data;
    eval_.job.dist = given_.dist;
    const std::string conv = conv_given_ ? given_.device.conv : eval_.job.device.conv;
    eval_.job.device = given_.device;
    eval_.job.device.conv = conv;
  }

  EvalOptions eval_;
  JobOptions given_;
  bool batch_given_ = false;
  bool conv_given_ = false;
  bool json_ = false;
};

}  // namespace

std::unique_ptr<Command> make_eval() { return std::make_unique<EvalCommand>(); }

}  // namespace convoy
