// A named thread that receives no signals: they are the business of the thread that trains.
#pragma once

#include <thread>
#include <utility>

#include <pthread.h>
#include <signal.h>

namespace convoy {

// `name` is what debuggers and `top -H` show, of at most 15 letters.
template <typename Work>
std::thread make_quiet_thread(const char* name, Work work) {
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  std::thread thread([name, work = std::move(work)] {
    pthread_setname_np(pthread_self(), name);
    work();
  });
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  return thread;
}

}  // namespace convoy
