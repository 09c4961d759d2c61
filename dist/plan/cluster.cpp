// Refuses clusters that cannot be.
#include "dist/plan/cluster.h"

#include <algorithm>

#include "core/error.h"
#include "dist/plan/collectives.h"

namespace convoy {
namespace {

constexpr int kMostRanks = 1 << 20;

void require_link(const Link& link, const std::string& name) {
  if (!(link.gbit > 0))
    fail(ExitCode::usage, "plan.{}-gbit is {:g}; a link needs a rate above 0", name, link.gbit);
  if (!(link.latency_us >= 0))
    fail(ExitCode::usage, "plan.{}-latency-us is {:g}; it cannot be below 0", name,
         link.latency_us);
  if (!(link.efficiency > 0 && link.efficiency <= 1))
    fail(ExitCode::usage, "plan.wire-efficiency is {:g}; it is a share, above 0 and at most 1",
         link.efficiency);
}

}  // namespace

void require_sensible(const ClusterSpec& cluster) {
  if (cluster.nodes < 1 || cluster.ranks_per_node < 1)
    fail(ExitCode::usage, "a cluster of {} nodes with {} ranks each has no ranks", cluster.nodes,
         cluster.ranks_per_node);
  if (cluster.nodes > kMostRanks / cluster.ranks_per_node)
    fail(ExitCode::usage, "a cluster of {} nodes with {} ranks each has more than {} ranks",
         cluster.nodes, cluster.ranks_per_node, kMostRanks);
  require_link(cluster.intra, "intra");
  require_link(cluster.inter, "inter");
  if (cluster.nodes > 1 && cluster.ranks_per_node > 1 &&
      cluster.inter.gbit > cluster.intra.gbit * cluster.ranks_per_node) {
    fail(ExitCode::usage,
         "a node's link to the others ({:g} Gbit/s) is faster than those of its {} ranks together "
         "({:g} Gbit/s each); are plan.inter-gbit and plan.intra-gbit exchanged?",
         cluster.inter.gbit, cluster.ranks_per_node, cluster.intra.gbit);
  }
  const auto& names = all_reduce_names();
  if (std::ranges::find(names, cluster.all_reduce) == names.end())
    fail(ExitCode::usage,
         "plan.all-reduce is '{}'; use one of auto, ring, recursive-doubling, "
         "tree, double-tree and shared-memory",
         cluster.all_reduce);
  if (cluster.all_reduce == "shared-memory" && cluster.nodes > 1)
    fail(ExitCode::usage,
         "plan.all-reduce is shared-memory, but {} nodes share no memory; use auto", cluster.nodes);
}

}  // namespace convoy
