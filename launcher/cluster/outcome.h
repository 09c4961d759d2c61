// What became of a job, from how mpirun ended: Convoy's exit code and a sentence.
#pragma once

#include <string>

namespace convoy {

struct Outcome {
  int code = 0;          // the ranks' own; 5 where a rank was killed or a host was lost
  std::string sentence;  // empty for code 0
  bool host_lost = false;
};

// `status` is waitpid's; `stopped` says that the job was asked to stop.
[[nodiscard]] Outcome judge(int status, bool stopped);

// Whether starting the job again may help: a rank or the network failed, and nobody asked it to
// end.
[[nodiscard]] bool worth_a_restart(const Outcome& outcome, bool stopped);

// Seconds to wait before the given restart, 1 the first: short, and longer each time.
[[nodiscard]] int restart_pause(int restart);

}  // namespace convoy
