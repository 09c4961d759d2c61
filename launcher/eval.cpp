// `convoy eval`: accuracy of a checkpoint on a dataset.
#include <ostream>
#include <utility>

#include <nlohmann/json.hpp>

#include "core/error.h"
#include "launcher/checkpoint_command.h"
#include "launcher/commands.h"
#include "launcher/table.h"

namespace convoy {
namespace {

std::vector<std::string> eval_keys() {
  std::vector<std::string> keys{"solver.batch",        "data.threads", "data.ahead",
                                "data.verify",         "data.read",    "parallel.strategy",
                                "parallel.owt-scheme", "dist.backend"};
  for (std::string& key : device_keys()) keys.push_back(std::move(key));
  return keys;
}

class EvalCommand : public CheckpointCommand {
 public:
  EvalCommand()
      : CheckpointCommand(
            {.name = "eval",
             .summary = "top-1 and top-5 of a checkpoint, centre crop or 10 views",
             .synopsis = "[mpirun -n N] convoy eval (--checkpoint FILE | --run.dir DIR) "
                         "[--data DIR] [options]",
             .details = "Runs a checkpoint's net over every image of a dataset once. Net, "
                        "preprocessing and the mean come from the checkpoint.",
             .parallel = true},
            eval_keys()) {
    options_.path("data", eval_.data, "DIR",
                  "packed dataset; empty: the data.val of the checkpoint's run");
    options_.choice("views", eval_.views, std::vector<int>{1, 10},
                    "views of an image: its centre, or 10 (paper, section 4.1)");
    options_.flag("json", json_, "print one JSON object");
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
  void read_checkpoint() {
    eval_.checkpoint = checkpoint_path();
    eval_.job = job_of(CheckpointReader(eval_.checkpoint));
    if (eval_.data.empty()) eval_.data = eval_.job.data.val;
    if (eval_.data.empty()) {
      fail(ExitCode::usage, "eval needs --data DIR: {} was trained without data.val",
           eval_.checkpoint.string());
    }
    eval_.job.data = given().data;
  }

  EvalOptions eval_;
  bool json_ = false;
};

}  // namespace

std::unique_ptr<Command> make_eval() { return std::make_unique<EvalCommand>(); }

}  // namespace convoy
