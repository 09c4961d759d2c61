// A cluster that is described, not present: nodes, ranks on them, and the links between.
#pragma once

#include <string>

namespace convoy {

// What a message of m bytes takes: latency + m / rate (the alpha-beta model).
struct Link {
  double latency_us = 0;
  double gbit = 0;        // nominal rate of one direction, 10^9 bits/s
  double efficiency = 1;  // payload per byte on the wire

  [[nodiscard]] double latency_ms() const { return latency_us / 1000; }
  [[nodiscard]] double bytes_per_ms() const { return gbit * 1e6 / 8 * efficiency; }
};

// What carries the exchanges, and so how collectives are made (collectives.h).
enum class Transport { mpi, nccl };

struct ClusterSpec {
  int nodes = 1;
  int ranks_per_node = 1;   // one a device
  Link intra;               // between two ranks of a node
  Link inter;               // of a node to the others, shared by its ranks
  double node_gbyte_s = 0;  // memory rate of a node, 10^9 bytes/s: sums in shared memory
  Transport transport = Transport::mpi;
  std::string all_reduce = "auto";  // algorithm: all_reduce_names()
  bool overlap = false;             // gradients travel while backward computes

  [[nodiscard]] int ranks() const { return nodes * ranks_per_node; }
};

// Throws Error(usage) with a sentence for a description that makes no sense.
void require_sensible(const ClusterSpec& cluster);

}  // namespace convoy
