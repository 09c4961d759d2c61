// The formulas of collectives.h.
#include "dist/plan/collectives.h"

#include <algorithm>
#include <bit>
#include <stdexcept>

namespace convoy {
namespace {

double log2_up(int n) { return std::bit_width(static_cast<unsigned>(n) - 1u); }

double latency_ms(const ClusterSpec& cluster, const GroupPlace& group) {
  return group.nodes > 1 ? cluster.inter.latency_ms() : cluster.intra.latency_ms();
}

// Of one stream through the group.
double bytes_per_ms(const ClusterSpec& cluster, const GroupPlace& group) {
  const double inside = cluster.intra.bytes_per_ms();
  const double outside = cluster.inter.bytes_per_ms() / group.sharing_link;
  if (group.nodes == 1) return inside;
  return group.per_node == 1 ? outside : std::min(inside, outside);
}

// Every rank sends each other one a message of `bytes`.
double everyone_to_everyone_ms(const ClusterSpec& cluster, const GroupPlace& group, double bytes) {
  if (group.size == 1) return 0;
  const double inside = (group.per_node - 1) * bytes / cluster.intra.bytes_per_ms();
  const double leaving = static_cast<double>(group.per_node) * group.sharing_link *
                         (group.size - group.per_node) * bytes / cluster.inter.bytes_per_ms();
  return latency_ms(cluster, group) * (group.size - 1) + std::max(inside, leaving);
}

// A rank's neighbours first fill its node: groups of `stride` apart.
GroupPlace place(const ClusterSpec& cluster, int size, int stride, int groups) {
  GroupPlace group;
  group.size = size;
  const int per_node = cluster.ranks_per_node;
  group.per_node = std::clamp(per_node / stride, 1, size);
  group.nodes = (size + group.per_node - 1) / group.per_node;
  group.sharing_link = std::clamp(per_node / group.per_node, 1, groups);
  return group;
}

}  // namespace

GroupPlace place_towers(const ClusterSpec& cluster, const Grid& grid) {
  return place(cluster, grid.towers, 1, grid.ranks() / grid.towers);
}

GroupPlace place_replicas(const ClusterSpec& cluster, const Grid& grid) {
  const int apart = grid.ranks() / grid.replicas;
  return place(cluster, grid.replicas, apart, apart);
}

const std::vector<std::string>& all_reduce_names() {
  static const std::vector<std::string> names{
      "auto", "slices", "ring", "recursive-doubling", "tree", "double-tree", "shared-memory"};
  return names;
}

double all_gather_ms(const ClusterSpec& cluster, const GroupPlace& group, double bytes) {
  return everyone_to_everyone_ms(cluster, group, bytes);
}

double reduce_scatter_ms(const ClusterSpec& cluster, const GroupPlace& group, double bytes) {
  return everyone_to_everyone_ms(cluster, group, bytes);
}

double all_reduce_ms(const std::string& algorithm, const ClusterSpec& cluster,
                     const GroupPlace& group, double bytes) {
  const int n = group.size;
  if (n == 1) return 0;
  const Link& inside = cluster.intra;
  const Link& outside = cluster.inter;
  const double rate = bytes_per_ms(cluster, group);
  const double levels_outside = log2_up(group.nodes);
  const double levels_inside = log2_up(group.per_node);
  const double shares = group.sharing_link;
  if (algorithm == "slices") return 2 * everyone_to_everyone_ms(cluster, group, bytes / n);
  if (algorithm == "ring") return 2.0 * (n - 1) * (latency_ms(cluster, group) + bytes / (n * rate));
  if (algorithm == "recursive-doubling") {
    return levels_outside *
               (outside.latency_ms() + group.per_node * shares * bytes / outside.bytes_per_ms()) +
           levels_inside * (inside.latency_ms() + bytes / inside.bytes_per_ms());
  }
  if (algorithm == "tree") {
    return 2 * levels_outside * (outside.latency_ms() + shares * bytes / outside.bytes_per_ms()) +
           2 * levels_inside * (inside.latency_ms() + bytes / inside.bytes_per_ms());
  }
  if (algorithm == "double-tree") {
    return 2 * (levels_outside * outside.latency_ms() + levels_inside * inside.latency_ms() +
                bytes / rate);
  }
  if (algorithm == "shared-memory") return 2.0 * n * shares * bytes / (cluster.node_gbyte_s * 1e6);
  throw std::logic_error("no all-reduce is called " + algorithm);
}

std::string chosen_all_reduce(const ClusterSpec& cluster, const GroupPlace& group, double bytes) {
  if (cluster.all_reduce != "auto") return cluster.all_reduce;
  if (cluster.transport == Transport::mpi)
    return group.nodes == 1 && cluster.node_gbyte_s > 0 ? "shared-memory" : "slices";
  return all_reduce_ms("ring", cluster, group, bytes) <=
                 all_reduce_ms("double-tree", cluster, group, bytes)
             ? "ring"
             : "double-tree";
}

double all_reduce_ms(const ClusterSpec& cluster, const GroupPlace& group, double bytes) {
  return all_reduce_ms(chosen_all_reduce(cluster, group, bytes), cluster, group, bytes);
}

}  // namespace convoy
