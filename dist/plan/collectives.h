// What collectives cost on a described cluster, by the alpha-beta model.
//
// n ranks of a group lie on k nodes, q on each; c groups like it work at the same time and share a
// node's link. A message between nodes takes a_e + m / B_e, inside a node a_i + m / B_i. m: payload
// of a rank, as in traffic.h.
//
//   all-gather, reduce-scatter   each rank sends every other one a part of m bytes:
//                                a (n-1) + m max((q-1) / B_i, q c (n-q) / B_e)
//   all-reduce, slices           2 (a (n-1) + m/n max((q-1) / B_i, q c (n-q) / B_e))
//     (each rank sums a slice: a reduce-scatter and an all-gather of m / n)
//   all-reduce, ring             2 (n-1) (a + m / (n B)),  B = min(B_i, B_e / c)
//   all-reduce, recursive        log2(k) (a_e + q c m / B_e) + log2(q) (a_i + m / B_i)
//     doubling
//   all-reduce, tree             2 log2(k) (a_e + c m / B_e) + 2 log2(q) (a_i + m / B_i)
//     (binomial: up, then down)
//   all-reduce, double tree      2 (log2(k) a_e + log2(q) a_i + m / B)
//     (NCCL: both directions busy, in pieces)
//   all-reduce, shared memory    every rank reads all parts of its slice and writes it to all:
//                                2 n c m / memory rate of the node
//
// a and B are those between nodes where the group reaches over nodes; log2 is rounded up. `auto` is
// what Convoy's backends come to: over MPI shared memory on one node, else slices; over NCCL the
// quicker of ring and double tree.
#pragma once

#include <string>
#include <vector>

#include "dist/partition/strategy.h"
#include "dist/plan/cluster.h"

namespace convoy {

// Where a group's ranks lie.
struct GroupPlace {
  int size = 1;          // n
  int nodes = 1;         // k
  int per_node = 1;      // q, the most on a node
  int sharing_link = 1;  // c
};

// Of neighbours in rank (towers of a replica), or of ranks that are `towers` apart (replicas).
[[nodiscard]] GroupPlace place_towers(const ClusterSpec& cluster, const Grid& grid);
[[nodiscard]] GroupPlace place_replicas(const ClusterSpec& cluster, const Grid& grid);

[[nodiscard]] const std::vector<std::string>& all_reduce_names();  // with auto

// Milliseconds. `all_reduce_ms` takes cluster.all_reduce.
[[nodiscard]] double all_gather_ms(const ClusterSpec& cluster, const GroupPlace& group,
                                   double bytes);
[[nodiscard]] double reduce_scatter_ms(const ClusterSpec& cluster, const GroupPlace& group,
                                       double bytes);
[[nodiscard]] double all_reduce_ms(const ClusterSpec& cluster, const GroupPlace& group,
                                   double bytes);
// The same by one algorithm, not auto.
[[nodiscard]] double all_reduce_ms(const std::string& algorithm, const ClusterSpec& cluster,
                                   const GroupPlace& group, double bytes);
// What auto comes to.
[[nodiscard]] std::string chosen_all_reduce(const ClusterSpec& cluster, const GroupPlace& group,
                                            double bytes);

}  // namespace convoy
