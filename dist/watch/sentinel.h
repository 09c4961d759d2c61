// A thread of each rank that ends the process when the thread that trains no longer can.
//
// It calls nothing of MPI, so that it goes on where every call of MPI is stuck.
#pragma once

#include <atomic>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <string>
#include <thread>

#include "dist/watch/collective_record.h"

namespace convoy {

class Sentinel {
 public:
  struct Job {
    // Some rank has waited for too long.
    std::function<bool()> over;
    // This rank's trainer has noticed, and says so itself.
    std::function<bool()> noticed;
    // What other ranks last said (Watchdog::last_words).
    std::function<std::string()> words;
    // Ends the process; does not return outside of tests.
    std::function<void(int exit_code)> end;
  };
  // Seconds that the trainer is given to notice by itself.
  static constexpr double kMargin = 5;

  // `record` must outlive it.
  Sentinel(const CollectiveRecord& record, Job job, double margin = kMargin);
  ~Sentinel();
  Sentinel(const Sentinel&) = delete;
  Sentinel& operator=(const Sentinel&) = delete;

  // From now on ends the process with a sentence for `say` and ExitCode::rank_failed, where this
  // rank waits in a collective for longer than the limit and the margin, and where the job is over
  // but this rank does not come to notice.
  void arm(std::function<void(const std::string&)> say);
  [[nodiscard]] bool armed() const { return armed_; }
  // The process is about to be ended with this code, in at most the margin.
  void expect_end(int exit_code);

 private:
  void work();
  bool too_long(double now);
  bool over_unnoticed(double now);
  [[nodiscard]] bool pause();

  const CollectiveRecord& record_;
  const Job job_;
  const double margin_;

  // Of the thread alone.
  std::uint64_t awaited_ = 0;
  double awaited_since_ = 0;
  double over_since_ = -1;
  bool said_ = false;
  double ending_since_ = -1;

  std::mutex mutex_;
  std::condition_variable changed_;
  std::function<void(const std::string&)> say_;  // set before armed_
  std::atomic<bool> armed_ = false;
  std::atomic<int> exit_code_ = -1;  // -1: the process is not ending
  bool stop_ = false;                // by mutex_
  std::thread thread_;
};

}  // namespace convoy
