// What ranks tell each other between steps, so that all of them do the same after the same step.
//
// A round is a sum over ranks that does not hold up a step: each rank says what it knows before the
// step has ended and hears, after it, what all said. On a communicator of its own.
#pragma once

#include <array>
#include <memory>

#include "dist/comm/communicator.h"

namespace convoy {

// Of one rank, when it says it; true for any rank, when it hears it.
struct Notice {
  bool stop = false;        // write a checkpoint and end the run
  bool checkpoint = false;  // write a checkpoint
  bool waiting = false;     // the next batch is not there yet
  bool failed = false;      // the next batch cannot be read
  bool busy = false;        // has a part in the checkpoint that is under way
};

class Control {
 public:
  // A round that takes longer than `wait_limit` seconds (0: for ever) throws Error(rank_failed).
  // Collective.
  Control(World& world, double wait_limit);
  ~Control();

  void say(const Notice& notice);
  [[nodiscard]] Notice hear();  // of the round that was said last
  // A round at once.
  [[nodiscard]] Notice agree(const Notice& notice);

 private:
  static constexpr std::size_t kNotices = 5;
  std::unique_ptr<Communicator> ranks_;
  std::array<float, kNotices> values_{};
  std::unique_ptr<PendingCollective> round_;
};

}  // namespace convoy
