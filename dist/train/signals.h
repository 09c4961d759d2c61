// What signals ask of this process while it trains: to stop after a checkpoint (SIGTERM, SIGINT,
// SIGHUP, SIGUSR1), or to write a checkpoint and go on (SIGUSR2).
#pragma once

#include <array>

#include <signal.h>

namespace convoy {

// Takes the signals for as long as it lives; there is one at a time. A second SIGINT ends the
// process at once. A SIGHUP that the process was started to ignore (nohup) stays ignored. SIGPIPE
// is ignored from now on and for good: a run does not end because nobody reads its words any more.
class Signals {
 public:
  Signals();
  ~Signals();
  Signals(const Signals&) = delete;
  Signals& operator=(const Signals&) = delete;

  // True from the first such signal on.
  [[nodiscard]] bool stop_asked() const;
  // True once for all such signals until now.
  [[nodiscard]] bool take_checkpoint_request();

 private:
  static constexpr std::array<int, 5> kTaken{SIGTERM, SIGINT, SIGUSR1, SIGUSR2, SIGHUP};
  std::array<struct sigaction, kTaken.size()> before_{};
};

}  // namespace convoy
