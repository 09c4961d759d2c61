// The costs of collectives are the closed forms of collectives.h.
#include "dist/plan/collectives.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.h"

namespace convoy {
namespace {

// 1 Gbit/s between nodes: 125,000 bytes/ms; 8 inside: 10^6 bytes/ms.
ClusterSpec cluster(int nodes, int ranks_per_node) {
  ClusterSpec spec;
  spec.nodes = nodes;
  spec.ranks_per_node = ranks_per_node;
  spec.intra = {2, 8, 1};
  spec.inter = {50, 1, 1};
  spec.node_gbyte_s = 10;
  return spec;
}

constexpr double kBytes = 25e6;

TEST(Collectives, ARingSendsEachByteTwiceButOnce) {
  const ClusterSpec spec = cluster(4, 1);
  const double ms = all_reduce_ms("ring", spec, place_replicas(spec, {4, 1}), kBytes);
  EXPECT_NEAR(ms, 2 * 3 * 0.05 + 2 * 3.0 / 4 * kBytes / 125e3, 1e-9);
}

TEST(Collectives, SlicesSendAsMuchAsARingInFewerSteps) {
  const ClusterSpec spec = cluster(4, 1);
  const double ms = all_reduce_ms("slices", spec, place_replicas(spec, {4, 1}), kBytes);
  EXPECT_NEAR(ms, 2 * 3 * (0.05 + kBytes / 4 / 125e3), 1e-9);
  // Two ranks on each of four nodes: both send to the six ranks of the other nodes.
  const ClusterSpec pairs = cluster(4, 2);
  EXPECT_NEAR(all_reduce_ms("slices", pairs, place_replicas(pairs, {8, 1}), kBytes),
              2 * (7 * 0.05 + 2 * 6 * kBytes / 8 / 125e3), 1e-9);
}

TEST(Collectives, TreesAndDoublingGrowWithTheLogarithm) {
  const ClusterSpec spec = cluster(8, 1);
  const GroupPlace place = place_replicas(spec, {8, 1});
  const double message = 0.05 + kBytes / 125e3;
  EXPECT_NEAR(all_reduce_ms("recursive-doubling", spec, place, kBytes), 3 * message, 1e-9);
  EXPECT_NEAR(all_reduce_ms("tree", spec, place, kBytes), 6 * message, 1e-9);
  EXPECT_NEAR(all_reduce_ms("double-tree", spec, place, kBytes), 6 * 0.05 + 2 * kBytes / 125e3,
              1e-9);
  const ClusterSpec odd = cluster(5, 1);
  EXPECT_NEAR(all_reduce_ms("recursive-doubling", odd, place_replicas(odd, {5, 1}), kBytes),
              3 * message, 1e-9);
}

TEST(Collectives, AGatherSendsOnesPartToEveryOther) {
  const ClusterSpec spec = cluster(4, 1);
  const GroupPlace place = place_towers(spec, {1, 4});
  EXPECT_NEAR(all_gather_ms(spec, place, kBytes), 3 * (0.05 + kBytes / 125e3), 1e-9);
  EXPECT_EQ(reduce_scatter_ms(spec, place, kBytes), all_gather_ms(spec, place, kBytes));
}

TEST(Collectives, RanksOfANodeShareItsLink) {
  // 4 nodes of 2: pairs of towers inside nodes, replicas across, two groups on each link.
  const ClusterSpec spec = cluster(4, 2);
  const Grid grid{4, 2};
  const GroupPlace towers = place_towers(spec, grid);
  EXPECT_EQ(towers.nodes, 1);
  EXPECT_NEAR(all_gather_ms(spec, towers, kBytes), 0.002 + kBytes / 1e6, 1e-9);
  const GroupPlace replicas = place_replicas(spec, grid);
  EXPECT_EQ(replicas.nodes, 4);
  EXPECT_EQ(replicas.sharing_link, 2);
  EXPECT_NEAR(all_reduce_ms("ring", spec, replicas, kBytes), 6 * (0.05 + kBytes / 4 / (125e3 / 2)),
              1e-9);
  // One group of all eight: a stream enters and leaves each node once.
  const GroupPlace all = place_replicas(spec, {8, 1});
  EXPECT_EQ(all.sharing_link, 1);
  EXPECT_NEAR(all_reduce_ms("ring", spec, all, kBytes), 14 * (0.05 + kBytes / 8 / 125e3), 1e-9);
}

TEST(Collectives, SharedMemoryIsBoundByTheNodesMemory) {
  const ClusterSpec spec = cluster(1, 2);
  EXPECT_NEAR(all_reduce_ms(spec, place_replicas(spec, {2, 1}), kBytes), 4 * kBytes / 10e6, 1e-9);
}

TEST(Collectives, NothingIsSentToOneself) {
  const ClusterSpec spec = cluster(4, 1);
  EXPECT_EQ(all_reduce_ms(spec, place_replicas(spec, {1, 2}), kBytes), 0);
  EXPECT_EQ(all_gather_ms(spec, place_towers(spec, {4, 1}), kBytes), 0);
}

TEST(Collectives, AutoIsWhatTheTransportTakes) {
  ClusterSpec spec = cluster(64, 1);
  const GroupPlace place = place_replicas(spec, {64, 1});
  EXPECT_EQ(chosen_all_reduce(spec, place, kBytes), "slices");
  spec.transport = Transport::nccl;
  EXPECT_EQ(chosen_all_reduce(spec, place, 1e9), "ring") << "bandwidth counts";
  EXPECT_EQ(chosen_all_reduce(spec, place, 1e3), "double-tree") << "latency counts";
}

std::string refusal(const ClusterSpec& spec) {
  try {
    require_sensible(spec);
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ExitCode::usage);
    return error.what();
  }
  return "";
}

TEST(Cluster, WhatMakesNoSenseIsRefused) {
  using testing::HasSubstr;
  EXPECT_EQ(refusal(cluster(4, 8)), "");
  ClusterSpec spec = cluster(0, 8);
  EXPECT_THAT(refusal(spec), HasSubstr("no ranks"));
  EXPECT_THAT(refusal(cluster(1 << 20, 8)), HasSubstr("more than"));
  spec = cluster(4, 2);
  spec.inter.gbit = 0;
  EXPECT_THAT(refusal(spec), HasSubstr("plan.inter-gbit"));
  spec = cluster(4, 2);
  spec.intra.latency_us = -1;
  EXPECT_THAT(refusal(spec), HasSubstr("plan.intra-latency-us"));
  spec = cluster(4, 2);
  spec.inter.gbit = 17;
  EXPECT_THAT(refusal(spec), HasSubstr("exchanged"));
  spec = cluster(4, 2);
  spec.inter.efficiency = 1.5;
  EXPECT_THAT(refusal(spec), HasSubstr("plan.wire-efficiency"));
  spec = cluster(4, 2);
  spec.all_reduce = "magic";
  EXPECT_THAT(refusal(spec), HasSubstr("recursive-doubling"));
  spec.all_reduce = "shared-memory";
  EXPECT_THAT(refusal(spec), HasSubstr("share no memory"));
}

}  // namespace
}  // namespace convoy
