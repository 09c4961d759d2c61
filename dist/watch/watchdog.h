// A thread of each rank that tells the others where its rank stands, whatever that rank does.
//
// Each rank reports to rank 0 in turn: a report, an answer, a pause. Rank 0 so knows who has come
// to which collective and who no longer answers, on any number of hosts, and says it to ranks that
// ask because they have waited for too long. A thousand ranks cost it a thousand messages of about
// a kilobyte a second.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "dist/watch/collective_record.h"
#include "dist/watch/patience.h"
#include "dist/watch/verdict.h"
#include "dist/watch/watch_link.h"

namespace convoy {

class Watchdog {
 public:
  // `hosts`: of all ranks, at least two. `record` must outlive it.
  Watchdog(const CollectiveRecord& record, std::unique_ptr<WatchLink> link,
           std::vector<std::string> hosts);
  ~Watchdog();
  Watchdog(const Watchdog&) = delete;
  Watchdog& operator=(const Watchdog&) = delete;

  // The longest that a rank may wait, in seconds; 0: for ever. A rank that is not heard for half of
  // it (within 1 to 10 seconds) is said not to answer. The largest counts.
  void set_limit(double seconds);

  // For a rank that has waited for too long in the collective that its record shows: who holds it
  // up (why_late). Tells all ranks that the job is over. Takes as long as it takes to hear of all
  // ranks or to know that they do not answer, a few seconds at most.
  [[nodiscard]] std::string explain();
  // What the others last said of this rank's collective, or of what they wait in; may be empty.
  [[nodiscard]] std::string last_words() const;
  // Some rank has waited for too long.
  [[nodiscard]] bool over() const { return over_; }
  // From now on the job ends then, and ranks that wait shall notice.
  void let_job_end() { may_end_ = true; }
  [[nodiscard]] bool ends_job() const { return may_end_ && over_; }
  // This rank has asked for an explanation.
  [[nodiscard]] bool asked() const { return asked_ > 0; }

  // The end of a job in which all went well: returns when all ranks have come to it, however long
  // they take, so that ending MPI does not have to wait. Returns a sentence where a rank no longer
  // answers for the limit, else nothing.
  [[nodiscard]] std::string finish();

 private:
  struct Other {
    double heard_at = 0;
    bool farewell = false;
    bool told = false;        // that all ranks have come to the end
    std::uint64_t asked = 0;  // requests
    double asked_at = 0;      // the last of them
  };

  void work();
  void turn_of_hub();
  void turn_of_rank();
  void note_request(std::size_t rank, std::uint64_t asked);
  void take_report(const WatchMessage& message);
  void answer(int rank, std::uint64_t asked);
  void take_answer(const WatchMessage& message);
  void publish(std::string text, std::uint64_t answered, bool over);
  void note_silence();
  [[nodiscard]] std::string words_for(int rank, bool waited_too_long);
  [[nodiscard]] bool all_heard_since(double time) const;
  [[nodiscard]] double silence() const;  // seconds after which a rank is said not to answer

  const CollectiveRecord& record_;
  std::unique_ptr<WatchLink> link_;
  const int rank_;
  const double period_;  // seconds between reports

  // Of the thread alone.
  LivingClock clock_;
  double now_ = 0;
  std::vector<KnownRank> known_;  // rank 0: of all
  std::vector<Other> others_;
  int first_late_ = -1;
  double reported_at_ = -1;
  bool awaits_answer_ = false;
  double answered_at_ = 0;

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::string words_;                     // by mutex_
  std::uint64_t answered_ = 0;            // requests; by mutex_
  bool all_came_ = false;                 // to the end; by mutex_
  std::string end_;                       // why the end cannot be reached; by mutex_
  std::atomic<std::uint64_t> asked_ = 0;  // requests
  std::atomic<std::uint64_t> turns_ = 0;
  std::atomic<double> limit_ = 0;
  std::atomic<bool> over_ = false;
  std::atomic<bool> may_end_ = false;
  std::atomic<bool> farewell_ = false;
  std::atomic<bool> stop_ = false;
  std::thread thread_;
};

}  // namespace convoy
