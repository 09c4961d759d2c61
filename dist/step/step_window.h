// Means of step times since the last line of metrics.
#pragma once

#include <array>
#include <cstdint>

#include "dist/comm/communicator.h"
#include "io/run/metrics.h"

namespace convoy {

class StepWindow {
 public:
  void add(const StepTimes& ms) {
    ++steps_;
    sum_.step += ms.step;
    sum_.data_wait += ms.data_wait;
    sum_.forward += ms.forward;
    sum_.backward += ms.backward;
    sum_.comm_exposed += ms.comm_exposed;
    sum_.update += ms.update;
  }
  // The largest mean over ranks, of each time for itself. Collective.
  StepTimes take(Communicator& everyone) {
    const double n = static_cast<double>(steps_);
    std::array<double, 6> values{sum_.step / n,     sum_.data_wait / n,    sum_.forward / n,
                                 sum_.backward / n, sum_.comm_exposed / n, sum_.update / n};
    everyone.maximum("times", values);
    *this = {};
    return {values[0], values[1], values[2], values[3], values[4], values[5]};
  }

 private:
  std::int64_t steps_ = 0;
  StepTimes sum_;
};

}  // namespace convoy
