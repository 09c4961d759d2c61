// Exit codes of ranks, of signals, and of mpirun itself.
#include "launcher/cluster/outcome.h"

#include <algorithm>
#include <csignal>
#include <cstring>

#include <fmt/format.h>
#include <sys/wait.h>

#include "core/error.h"

namespace convoy {
namespace {

constexpr int kFailed = static_cast<int>(ExitCode::rank_failed);
constexpr int kStopped = static_cast<int>(ExitCode::stopped);
constexpr int kHostLost = 205;    // Open MPI's ORTE_ERR_COMM_FAILURE, -51, as an exit code
constexpr int kSignalBase = 128;  // a process that a signal ended, as shells and mpirun count

Outcome killed(const std::string& who, int signal, bool stopped) {
  if (stopped) {
    return {kStopped,
            fmt::format("the job was ended on request, without a new checkpoint ({} was ended by "
                        "signal {}, {})",
                        who, signal, strsignal(signal))};
  }
  return {kFailed,
          fmt::format("{} was ended by signal {} ({}){}", who, signal, strsignal(signal),
                      signal == SIGKILL ? "; a host that ran out of memory does that" : "")};
}

}  // namespace

Outcome judge(int status, bool stopped) {
  if (WIFSIGNALED(status)) return killed("mpirun", WTERMSIG(status), stopped);
  const int code = WEXITSTATUS(status);
  switch (code) {
    case 0:
      return {};
    case kStopped:
      return {code, "the job stopped on request after a checkpoint; start it again to go on"};
    case static_cast<int>(ExitCode::usage):
    case static_cast<int>(ExitCode::bad_data):
    case static_cast<int>(ExitCode::bad_checkpoint):
    case kFailed:
    case static_cast<int>(ExitCode::diverged):
    case static_cast<int>(ExitCode::resource):
      return {code, fmt::format("the job ended with exit code {}; why, a rank says above", code)};
    case kHostLost:
      return {kFailed,
              "a host was lost: it does not answer any more, or MPI's daemon there was ended",
              true};
    default:
      break;
  }
  if (code > kSignalBase && code <= kSignalBase + SIGRTMAX) {
    return killed("a rank", code - kSignalBase, stopped);
  }
  if (stopped) {
    return {kStopped, "the job was ended on request, without a new checkpoint"};
  }
  if (code == 1) {
    return {code, "the job ended with exit code 1; why, mpirun or a rank says above"};
  }
  // None of Convoy's codes: that of the agent or of MPI's daemon on another host.
  return {
      kFailed,
      fmt::format("a host was lost, or MPI could not start there (mpirun's exit code {}; what it "
                  "says stands above)",
                  code),
      true};
}

bool worth_a_restart(const Outcome& outcome, bool stopped) {
  return outcome.code == kFailed && !stopped;
}

int restart_pause(int restart) { return std::min(1 << std::min(restart - 1, 5), 30); }

}  // namespace convoy
