// How quickly pairs of ranks exchange data.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "dist/comm/communicator.h"

namespace convoy {

using RankPair = std::pair<int, int>;

// Which pairs to time, in rounds of pairs that have no host in common: the first ranks of all
// hosts with each other, of many hosts (over 32) neighbours only; and two ranks of the first host.
// `hosts`: of every rank.
[[nodiscard]] std::vector<std::vector<RankPair>> pair_rounds(const std::vector<std::string>& hosts);

struct LinkTimes {
  RankPair ranks;
  double latency_us = 0;           // of a barrier
  double exchange_per_second = 0;  // bytes that a rank sends, of an all-gather of up to 16 MiB
  double reduce_per_second = 0;    // bytes that an all-reduce of up to 16 MiB adds up
};

// Times each pair with memory of `device`, by `backend`. The same on every rank. Collective. Throws
// Error(rank_failed) where a pair does not answer within `wait_limit` seconds.
[[nodiscard]] std::vector<LinkTimes> time_links(World& world, Communicator& everyone,
                                                Device& device, Backend backend, double wait_limit,
                                                const std::vector<std::vector<RankPair>>& rounds);

}  // namespace convoy
