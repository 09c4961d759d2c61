// Programs started with an argument vector, never through a shell: to hear what they say, or to
// watch over them until they end.
#pragma once

#include <chrono>
#include <csignal>
#include <string>
#include <vector>

#include <sys/types.h>

namespace convoy {

// The path of a program that is found as a shell would find it; empty: there is none.
[[nodiscard]] std::string find_program(const std::string& name);

struct Heard {
  bool ended = false;  // in time; otherwise it was killed
  int status = 0;      // waitpid's
  std::string out;
  std::string err;

  [[nodiscard]] bool succeeded() const { return ended && status == 0; }
};

// Runs the commands side by side, each with `input` on its standard input, and hears them out.
// Those that are not done within the limit are killed. Throws Error(resource) where a process
// cannot be started.
[[nodiscard]] std::vector<Heard> hear_all(const std::vector<std::vector<std::string>>& commands,
                                          std::chrono::milliseconds limit,
                                          const std::string& input = "");
[[nodiscard]] Heard hear(const std::vector<std::string>& command, std::chrono::milliseconds limit,
                         const std::string& input = "");

// Runs a job's mpirun and turns signals to this process into what the job understands. While it
// lives, INT, TERM, HUP, USR1 and CHLD of this process wait for it.
class Supervisor {
 public:
  Supervisor();
  ~Supervisor();
  Supervisor(const Supervisor&) = delete;
  Supervisor& operator=(const Supervisor&) = delete;

  // Returns waitpid's status when the command has ended. A first signal becomes USR1, which mpirun
  // passes on to the ranks, where `checkpoints`, else TERM; a second one TERM, which makes mpirun
  // kill the ranks; a third kills mpirun. Throws Error(resource) where it cannot be started.
  [[nodiscard]] int run(const std::vector<std::string>& command, bool checkpoints);
  // Waits; false where a signal comes meanwhile.
  [[nodiscard]] bool pause(std::chrono::seconds time);
  // The first signal that asked for the end; 0: none has.
  [[nodiscard]] int asked() const { return asked_; }

 private:
  void ask(pid_t mpirun, int signal, bool checkpoints);

  sigset_t watched_{};
  sigset_t before_{};
  int asked_ = 0;
  int times_asked_ = 0;
};

}  // namespace convoy
