// How long a rank waits for others: a clock that is read between polls.
#pragma once

#include <algorithm>
#include <chrono>

#include <sched.h>

namespace convoy {

class Patience {
 public:
  explicit Patience(double seconds) : seconds_(seconds) {}  // 0: for ever

  // Gives up the core; false when the time is up. A long gap between two polls means that this
  // process itself was stopped, as when a scheduler suspends a job: it counts as one second.
  bool lasts() {
    sched_yield();
    const auto now = Clock::now();
    const std::chrono::duration<double> passed = now - last_;
    last_ = now;
    waited_ += std::min(passed.count(), 1.0);
    return seconds_ == 0 || waited_ < seconds_;
  }

 private:
  using Clock = std::chrono::steady_clock;
  double seconds_;
  double waited_ = 0;
  Clock::time_point last_ = Clock::now();
};

}  // namespace convoy
