// Handlers that only set flags.
#include "dist/train/signals.h"

#include <atomic>
#include <cstddef>

namespace convoy {
namespace {

// A handler gets nothing but the signal's number, so it needs memory of the process.
std::atomic<bool> g_stop{false};
std::atomic<bool> g_interrupted{false};
std::atomic<bool> g_checkpoint{false};
static_assert(std::atomic<bool>::is_always_lock_free, "written by a signal handler");

extern "C" void take_signal(int number) {
  if (number == SIGUSR2) {
    g_checkpoint = true;
    return;
  }
  if (number == SIGINT && g_interrupted.exchange(true)) {
    ::signal(SIGINT, SIG_DFL);
    ::raise(SIGINT);
  }
  g_stop = true;
}

}  // namespace

Signals::Signals() {
  g_stop = false;
  g_interrupted = false;
  g_checkpoint = false;
  struct sigaction action {};
  action.sa_handler = take_signal;
  action.sa_flags = SA_RESTART;
  sigemptyset(&action.sa_mask);
  for (std::size_t i = 0; i < kTaken.size(); ++i) {
    const int number = kTaken[i];
    ::sigaction(number, nullptr, &before_[i]);
    if (number == SIGHUP && before_[i].sa_handler == SIG_IGN) continue;
    ::sigaction(number, &action, nullptr);
  }
  ::signal(SIGPIPE, SIG_IGN);
}

Signals::~Signals() {
  for (std::size_t i = 0; i < kTaken.size(); ++i) ::sigaction(kTaken[i], &before_[i], nullptr);
}

bool Signals::stop_asked() const { return g_stop; }
bool Signals::take_checkpoint_request() { return g_checkpoint.exchange(false); }

}  // namespace convoy
