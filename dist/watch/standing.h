// Where a rank stands: its step, its layer, and the collectives it has come to.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace convoy {

// What a rank is doing between or beside its collectives. Values stand in files.
enum class Phase : std::uint32_t {
  starting = 0,
  forward = 1,
  backward = 2,
  update = 3,
  reading = 4,     // waits for the next batch
  finishing = 5,   // waits for the device and for the sums of a step
  between = 6,     // metrics, checkpoints
  evaluation = 7,  // forward passes over another dataset
};

// "conv3 backward", "conv3 in evaluation", "update"; `layer` is empty where there is none.
[[nodiscard]] std::string place_text(Phase phase, const std::string& layer);

// A collective that a rank waits in.
struct AwaitedCollective {
  std::uint64_t sequence = 0;  // the how manyeth of its rank; 0: it waits in none
  std::uint64_t group = 0;
  std::uint64_t number = 0;  // the how manyeth of its group
  std::int64_t bytes = 0;
  double limit = 0;  // seconds; 0: it may wait for ever
  std::string name;
  std::string ranks;  // "ranks 0 and 1"
};

// How far a rank is in one of its groups.
struct GroupProgress {
  std::uint64_t group = 0;
  std::uint64_t entered = 0;  // collectives
  std::uint64_t left = 0;
};

struct Standing {
  int rank = 0;
  std::string host;
  std::int64_t step = 0;  // the one it works on, counted from 1; 0: none yet
  std::string place;      // place_text()
  AwaitedCollective waits_in;
  std::vector<GroupProgress> groups;
};

// "step 7, conv3 backward"
[[nodiscard]] std::string at_text(const Standing& standing);
// "collective 12 of ranks 0 and 1, 'exchange-fc6' of 4096 bytes"
[[nodiscard]] std::string text_of(const AwaitedCollective& collective);
// "rank 1", "ranks 0 and 1", "ranks 0, 1 and 2"; of many the first and how many more.
[[nodiscard]] std::string ranks_text(const std::vector<int>& ranks);

}  // namespace convoy
