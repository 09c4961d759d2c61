// Which strategies there are and what each of them asks of net, ranks and batch.
#include "dist/strategy.h"

#include <algorithm>

#include "core/error.h"

namespace convoy {
namespace {

Strategy single(int ranks) {
  if (ranks != 1) {
    fail(ExitCode::usage,
         "strategy single runs on 1 rank, not {}; start it without mpirun, or use "
         "--parallel.strategy data or model",
         ranks);
  }
  return {"single", {1, 1}};
}

Strategy model(const NetSpec& net, int ranks) {
  if (net.towers != 2) {
    fail(
        ExitCode::usage,
        "strategy model gives each rank a tower, and this net has {}; set --model.towers 2, or use "
        "--parallel.strategy data",
        net.towers);
  }
  if (ranks != 2) {
    fail(ExitCode::usage,
         "strategy model runs on 2 ranks, one for each tower, not {}; use mpirun -n 2, or "
         "--parallel.strategy {}",
         ranks, ranks == 1 ? "single" : "data");
  }
  if (net.classes < net.towers) {
    fail(ExitCode::usage,
         "strategy model gives each rank some of the classes, and this net has {}; use "
         "--parallel.strategy data",
         net.classes);
  }
  const bool over_all = std::ranges::any_of(net.layers, [](const LayerSpec& layer) {
    const auto* norm = std::get_if<LrnLayer>(&layer.kind);
    return norm != nullptr && norm->groups == 1;
  });
  if (over_all) {
    fail(ExitCode::usage,
         "strategy model keeps response normalisation inside a tower, but model.lrn-scope is all; "
         "set --model.lrn-scope tower, or use --parallel.strategy data");
  }
  return {"model", {1, 2}};
}

Strategy data(int ranks) { return {"data", {ranks, 1}}; }

}  // namespace

const std::vector<std::string>& strategy_names() {
  static const std::vector<std::string> names{"single", "model", "data"};
  return names;
}

Strategy choose_strategy(std::string_view name, const NetSpec& net, int ranks,
                         std::int64_t global_batch) {
  Strategy chosen;
  if (name == "auto") {
    chosen = ranks == 1 ? single(ranks) : data(ranks);
  } else if (name == "single") {
    chosen = single(ranks);
  } else if (name == "model") {
    chosen = model(net, ranks);
  } else if (name == "data") {
    chosen = data(ranks);
  } else {
    fail(ExitCode::usage, "parallel.strategy is '{}'; use auto, single, model or data", name);
  }
  const int replicas = chosen.grid.replicas;
  if (global_batch % replicas != 0) {
    const std::int64_t down = global_batch / replicas * replicas;
    fail(
        ExitCode::usage,
        "a global batch of {} cannot be divided evenly among {} replicas; set --solver.batch to {} "
        "or another multiple of {}",
        global_batch, replicas, std::max<std::int64_t>(down, replicas), replicas);
  }
  return chosen;
}

}  // namespace convoy
