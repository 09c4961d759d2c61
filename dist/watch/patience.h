// How long a rank waits for others: a clock that is read between polls.
#pragma once

#include <algorithm>
#include <chrono>

#include <sched.h>

namespace convoy {

// Seconds since its beginning that this process has lived through. A long gap between two readings
// means that the process itself was stopped, as when a scheduler suspends a job: it counts as one
// second.
class LivingClock {
 public:
  double seconds() {
    const auto now = Clock::now();
    const std::chrono::duration<double> passed = now - last_;
    last_ = now;
    seconds_ += std::min(passed.count(), 1.0);
    return seconds_;
  }

 private:
  using Clock = std::chrono::steady_clock;
  double seconds_ = 0;
  Clock::time_point last_ = Clock::now();
};

class Patience {
 public:
  explicit Patience(double seconds) : seconds_(seconds) {}  // 0: for ever

  // Gives up the core; false when the time is up.
  bool lasts() {
    sched_yield();
    waited_ = clock_.seconds();
    return seconds_ == 0 || waited_ < seconds_;
  }
  [[nodiscard]] double waited() const { return waited_; }

 private:
  double seconds_;
  double waited_ = 0;
  LivingClock clock_;
};

}  // namespace convoy
