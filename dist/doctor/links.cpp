// Pairs ranks as in a round-robin tournament, and times collectives of each pair.
#include "dist/doctor/links.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <limits>
#include <set>

#include <nlohmann/json.hpp>

#include "dist/comm/texts.h"

namespace convoy {
namespace {

constexpr std::size_t kMostHostsInPairs = 32;

// Everyone meets everyone: one stays, the others go round.
std::vector<std::vector<RankPair>> tournament(std::vector<int> players) {
  constexpr int nobody = -1;
  if (players.size() % 2 != 0) players.push_back(nobody);
  std::vector<std::vector<RankPair>> rounds;
  for (std::size_t round = 0; round + 1 < players.size(); ++round) {
    std::vector<RankPair>& pairs = rounds.emplace_back();
    for (std::size_t i = 0; i < players.size() / 2; ++i) {
      const auto [low, high] = std::minmax(players[i], players[players.size() - 1 - i]);
      if (low != nobody) pairs.emplace_back(low, high);
    }
    std::rotate(players.begin() + 1, players.end() - 1, players.end());
  }
  return rounds;
}

std::vector<std::vector<RankPair>> neighbours(const std::vector<int>& players) {
  std::vector<std::vector<RankPair>> rounds(2);
  for (std::size_t i = 0; i + 1 < players.size(); ++i)
    rounds[i % 2].emplace_back(players[i], players[i + 1]);
  return rounds;
}

class PairClock {
 public:
  PairClock(Communicator& pair, Device& device)
      : pair_(pair),
        stream_(device.make_stream()),
        part_(device.allocate(kMostFloats * sizeof(float))),
        whole_(device.allocate(2 * kMostFloats * sizeof(float))) {}

  double latency_us() {
    for (int i = 0; i < kLatencyRounds / 5; ++i) pair_.barrier("latency");
    return 1000 * ms_of([&] {
             for (int i = 0; i < kLatencyRounds; ++i) pair_.barrier("latency");
           }) /
           kLatencyRounds;
  }
  double exchange_per_second() {
    return rate([&](std::int64_t floats) {
      pair_.all_gather("exchange", part_.data(), whole_.data(), floats, DType::f32, *stream_);
    });
  }
  double reduce_per_second() {
    return rate([&](std::int64_t floats) {
      pair_.start_all_reduce("sum", static_cast<float*>(part_.data()), floats, *stream_)
          ->wait(*stream_);
    });
  }

 private:
  static constexpr std::int64_t kMostFloats = 4 << 20;
  static constexpr int kLatencyRounds = 50;
  static constexpr double kEnoughMs = 20;  // long enough to be measured well

  template <typename F>
  double ms_of(const F& work) {
    const auto start = std::chrono::steady_clock::now();
    work();
    pair_.wait(*stream_);
    const std::chrono::duration<double, std::milli> passed =
        std::chrono::steady_clock::now() - start;
    std::array<double, 1> slower{passed.count()};
    pair_.maximum("times", slower);
    return slower[0];
  }

  // Bytes per second of the best of a few, of a size that takes long enough.
  template <typename F>
  double rate(const F& collective) {
    std::int64_t floats = 16 << 10;
    while (ms_of([&] { collective(floats); }) < kEnoughMs && floats < kMostFloats) floats *= 2;
    double best_ms = std::numeric_limits<double>::max();
    for (int i = 0; i < 3; ++i) best_ms = std::min(best_ms, ms_of([&] { collective(floats); }));
    return 1000 * static_cast<double>(floats) * sizeof(float) / best_ms;
  }

  Communicator& pair_;
  std::unique_ptr<Stream> stream_;
  Buffer part_;
  Buffer whole_;
};

}  // namespace

std::vector<std::vector<RankPair>> pair_rounds(const std::vector<std::string>& hosts) {
  std::vector<int> first_ranks;
  std::set<std::string> seen;
  int second_of_first_host = 0;
  for (std::size_t rank = 0; rank < hosts.size(); ++rank) {
    if (seen.insert(hosts[rank]).second)
      first_ranks.push_back(static_cast<int>(rank));
    else if (hosts[rank] == hosts[0] && second_of_first_host == 0)
      second_of_first_host = static_cast<int>(rank);
  }
  std::vector<std::vector<RankPair>> rounds =
      first_ranks.size() > kMostHostsInPairs ? neighbours(first_ranks) : tournament(first_ranks);
  if (second_of_first_host != 0) rounds.push_back({{0, second_of_first_host}});
  return rounds;
}

std::vector<LinkTimes> time_links(World& world, Communicator& everyone, Device& device,
                                  Backend backend, double wait_limit,
                                  const std::vector<std::vector<RankPair>>& rounds) {
  nlohmann::json mine = nlohmann::json::array();  // of pairs whose first rank this is
  for (const std::vector<RankPair>& pairs : rounds) {
    int colour = static_cast<int>(pairs.size()) + world.rank();  // alone
    for (std::size_t i = 0; i < pairs.size(); ++i) {
      if (pairs[i].first == world.rank() || pairs[i].second == world.rank())
        colour = static_cast<int>(i);
    }
    const bool paired = colour < static_cast<int>(pairs.size());
    const auto group = world.split(colour, device, paired ? backend : Backend::mpi, wait_limit);
    if (paired) {
      PairClock clock(*group, device);
      const double latency = clock.latency_us();
      const double exchange = clock.exchange_per_second();
      const double reduce = clock.reduce_per_second();
      const RankPair& ranks = pairs[static_cast<std::size_t>(colour)];
      if (ranks.first == world.rank())
        mine.push_back({ranks.first, ranks.second, latency, exchange, reduce});
    }
    everyone.barrier("links");
  }
  std::vector<LinkTimes> all;
  for (const std::string& text : gather_texts(everyone, "links", mine.dump())) {
    for (const auto& link : nlohmann::json::parse(text))
      all.push_back({{link[0], link[1]}, link[2], link[3], link[4]});
  }
  return all;
}

}  // namespace convoy
