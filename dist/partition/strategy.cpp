// Which strategies there are and what each of them asks of net, ranks and batch.
#include "dist/partition/strategy.h"

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

// What a net must be for its towers to lie on ranks of their own.
void require_towers(std::string_view name, const NetSpec& net, std::string_view gives) {
  if (net.towers != 2) {
    fail(ExitCode::usage,
         "strategy {} gives {}, and this net has {}; set --model.towers 2 (in a net's "
         "description: towers 2), or use --parallel.strategy data or owt",
         name, gives, net.towers);
  }
  const bool over_all = std::ranges::any_of(net.layers, [](const LayerSpec& layer) {
    const auto* norm = std::get_if<LrnLayer>(&layer.kind);
    return norm != nullptr && norm->groups == 1;
  });
  if (over_all) {
    fail(ExitCode::usage,
         "strategy {} keeps response normalisation inside a tower, but model.lrn-scope is all; "
         "set --model.lrn-scope tower (in a net's description: scope tower), or use "
         "--parallel.strategy data or owt",
         name);
  }
  for (const LayerSpec& layer : net.layers) {
    const auto* conv = std::get_if<ConvLayer>(&layer.kind);
    if (conv == nullptr || conv->groups == 1 || conv->groups % net.towers == 0) continue;
    fail(ExitCode::usage,
         "strategy {} keeps the groups of a convolution inside a tower, and the {} groups of {} do "
         "not divide into {} towers; use groups 1, 2 or another multiple of 2, or "
         "--parallel.strategy data or owt",
         name, conv->groups, layer.name, net.towers);
  }
}

Strategy model(const NetSpec& net, int ranks) {
  require_towers("model", net, "each rank a tower");
  if (ranks != 2) {
    fail(ExitCode::usage,
         "strategy model runs on 2 ranks, one for each tower, not {}; use mpirun -n 2, or "
         "--parallel.strategy {}",
         ranks, ranks == 1 ? "single" : (ranks % 2 == 0 ? "hybrid or data" : "data"));
  }
  return {"model", {1, 2}};
}

Strategy data(int ranks) { return {"data", {ranks, 1}}; }

Strategy hybrid(const NetSpec& net, int ranks) {
  require_towers("hybrid", net, "each rank of a replica a tower");
  if (ranks % 2 != 0) {
    fail(ExitCode::usage,
         "strategy hybrid runs on pairs of ranks, one for each tower, not on {}; use mpirun -n {}, "
         "or --parallel.strategy {}",
         ranks, ranks + 1, ranks == 1 ? "single" : "data");
  }
  return {"hybrid", {ranks / 2, 2}};
}

Strategy owt(const NetSpec& net, int ranks, std::string_view scheme) {
  for (const LayerSpec& layer : net.layers) {
    if (!std::holds_alternative<FullyConnectedLayer>(layer.kind) || layer.out.c >= ranks) continue;
    fail(ExitCode::usage,
         "strategy owt cuts every fully connected layer over all ranks, and {} with {} outputs "
         "does not go over {}; use at most {} ranks, or --parallel.strategy data",
         layer.name, layer.out.c, ranks, layer.out.c);
  }
  return {"owt", {ranks, ranks, true}, scheme == "turns"};
}

}  // namespace

const std::vector<std::string>& strategy_names() {
  static const std::vector<std::string> names{"single", "model", "data", "hybrid", "owt"};
  return names;
}

Strategy choose_strategy(std::string_view name, const NetSpec& net, int ranks,
                         std::int64_t global_batch, std::string_view owt_scheme) {
  Strategy chosen;
  if (name == "auto") {
    chosen = ranks == 1 ? single(ranks) : data(ranks);
  } else if (name == "single") {
    chosen = single(ranks);
  } else if (name == "model") {
    chosen = model(net, ranks);
  } else if (name == "data") {
    chosen = data(ranks);
  } else if (name == "hybrid") {
    chosen = hybrid(net, ranks);
  } else if (name == "owt") {
    chosen = owt(net, ranks, owt_scheme);
  } else {
    fail(ExitCode::usage, "parallel.strategy is '{}'; use auto, single, model, data, hybrid or owt",
         name);
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
