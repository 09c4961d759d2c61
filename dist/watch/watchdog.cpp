// Reports to rank 0 and answers.
#include "dist/watch/watchdog.h"

#include <algorithm>
#include <chrono>
#include <stdexcept>
#include <utility>

#include <fmt/format.h>

#include "dist/mpi/message.h"
#include "dist/watch/quiet_thread.h"

namespace convoy {
namespace {

constexpr double kShortestPeriod = 0.1;
constexpr double kLongestPeriod = 1;
constexpr double kPeriodOfARank = 0.001;
constexpr int kPolls = 4;  // in a period

std::chrono::duration<double> seconds_of(double seconds) {
  return std::chrono::duration<double>(seconds);
}

void write(MessageWriter& out, const Standing& standing) {
  const AwaitedCollective& in = standing.waits_in;
  out.number(static_cast<std::uint64_t>(standing.step)).text(standing.place);
  out.number(in.sequence).number(in.group).number(in.number);
  out.number(static_cast<std::uint64_t>(in.bytes)).text(in.name).text(in.ranks);
  out.number(standing.groups.size());
  for (const GroupProgress& group : standing.groups)
    out.number(group.group).number(group.entered).number(group.left);
}

void read(MessageReader& in, Standing& standing) {
  standing.step = static_cast<std::int64_t>(in.number());
  standing.place = in.text();
  AwaitedCollective& awaited = standing.waits_in;
  awaited.sequence = in.number();
  awaited.group = in.number();
  awaited.number = in.number();
  awaited.bytes = static_cast<std::int64_t>(in.number());
  awaited.name = in.text();
  awaited.ranks = in.text();
  standing.groups.clear();
  for (std::uint64_t left = in.number(); left > 0; --left) {
    GroupProgress& group = standing.groups.emplace_back();
    group.group = in.number();
    group.entered = in.number();
    group.left = in.number();
  }
}

}  // namespace

Watchdog::Watchdog(const CollectiveRecord& record, std::unique_ptr<WatchLink> link,
                   std::vector<std::string> hosts)
    : record_(record),
      link_(std::move(link)),
      rank_(record.standing().rank),
      period_(std::clamp(kPeriodOfARank * static_cast<double>(hosts.size()), kShortestPeriod,
                         kLongestPeriod)),
      known_(hosts.size()),
      others_(hosts.size()) {
  for (std::size_t i = 0; i < hosts.size(); ++i) {
    known_[i].last.rank = static_cast<int>(i);
    known_[i].last.host = std::move(hosts[i]);
  }
  thread_ = make_quiet_thread("watchdog", [this] { work(); });
}

Watchdog::~Watchdog() {
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
  }
  changed_.notify_all();
  if (thread_.joinable()) thread_.join();
}

void Watchdog::set_limit(double seconds) { limit_ = std::max(limit_.load(), seconds); }

double Watchdog::silence() const {
  const double limit = limit_;
  return std::max(4 * period_, limit == 0 ? 10.0 : std::clamp(limit / 2, 1.0, 10.0));
}

std::string Watchdog::explain() {
  std::unique_lock lock(mutex_);
  const std::uint64_t mine = ++asked_;
  changed_.notify_all();
  LivingClock clock;
  const double most = silence() + 4 * period_ + 1;
  while (answered_ < mine && clock.seconds() < most)
    changed_.wait_for(lock, seconds_of(period_ / kPolls));
  if (answered_ < mine)
    return "this rank's own thread that keeps contact with the other ranks is stuck";
  return words_;
}

std::string Watchdog::last_words() const {
  const std::lock_guard lock(mutex_);
  return words_;
}

std::string Watchdog::finish() {
  std::unique_lock lock(mutex_);
  farewell_ = true;
  changed_.notify_all();
  LivingClock clock;
  std::uint64_t turns = turns_;
  double turned_at = 0;
  while (!all_came_ && end_.empty()) {
    changed_.wait_for(lock, seconds_of(period_));
    const double now = clock.seconds();
    if (turns != turns_) turned_at = now;
    turns = turns_;
    if (limit_ > 0 && now - turned_at > limit_)
      end_ = "the thread that keeps contact with the other ranks is stuck";
  }
  const std::string end = end_;
  lock.unlock();
  if (end.empty()) thread_.join();
  return end;
}

void Watchdog::work() {
  while (true) {
    {
      std::unique_lock lock(mutex_);
      if (stop_ || all_came_) return;
      changed_.wait_for(lock, seconds_of(period_ / kPolls));
      if (stop_) return;
    }
    now_ = clock_.seconds();
    if (rank_ == 0)
      turn_of_hub();
    else
      turn_of_rank();
    ++turns_;
  }
}

void Watchdog::turn_of_hub() {
  while (const auto message = link_->receive()) {
    try {
      take_report(*message);
    } catch (const std::out_of_range&) {  // of no use
    }
  }
  const std::uint64_t asked = asked_;
  const bool farewell = farewell_;
  KnownRank& own = known_.front();
  Standing standing = record_.standing();
  standing.host = own.last.host;
  own = {true, false, std::move(standing)};
  others_.front().heard_at = now_;
  others_.front().farewell = others_.front().told = farewell;
  note_request(0, asked);
  note_silence();

  const bool ready = asked > 0 && all_heard_since(others_.front().asked_at);
  if (first_late_ >= 0) publish(words_for(0, asked > 0), ready ? asked : 0, true);
  if (!farewell) return;
  const std::lock_guard lock(mutex_);
  all_came_ = std::ranges::all_of(others_, &Other::told) && link_->idle();
  for (std::size_t i = 1; i < known_.size() && end_.empty(); ++i) {
    if (limit_ > 0 && !others_[i].told && now_ - others_[i].heard_at > limit_)
      end_ =
          fmt::format("rank {} on {} does not answer at the end of the job (last heard of at {})",
                      i, known_[i].last.host, at_text(known_[i].last));
  }
}

void Watchdog::note_request(std::size_t rank, std::uint64_t asked) {
  Other& other = others_[rank];
  if (asked == other.asked) return;
  other.asked = asked;
  other.asked_at = now_;
  if (first_late_ < 0) first_late_ = static_cast<int>(rank);
}

void Watchdog::take_report(const WatchMessage& message) {
  MessageReader in(message.bytes);
  const auto i = static_cast<std::size_t>(message.from);
  const std::uint64_t asked = in.number();
  others_[i].farewell = in.number() != 0;
  read(in, known_[i].last);
  known_[i].heard = true;
  others_[i].heard_at = now_;
  note_request(i, asked);
  note_silence();
  answer(message.from, asked);
}

void Watchdog::answer(int rank, std::uint64_t asked) {
  const auto i = static_cast<std::size_t>(rank);
  const bool all_came = std::ranges::all_of(others_, &Other::farewell);
  const bool ready = asked > 0 && all_heard_since(others_[i].asked_at);
  const bool over = first_late_ >= 0;
  MessageWriter out;
  out.number(ready ? asked : 0).number(over).number(all_came);
  out.text(over ? words_for(rank, asked > 0) : "");
  link_->send(rank, out.take());
  others_[i].told = all_came;
}

std::string Watchdog::words_for(int rank, bool waited_too_long) {
  const Standing& standing = known_[static_cast<std::size_t>(rank)].last;
  if (waited_too_long || standing.waits_in.sequence != 0) return why_late(known_, rank);
  const Standing& late = known_[static_cast<std::size_t>(first_late_)].last;
  return fmt::format("rank {} on {} has waited for too long in {}", late.rank, late.host,
                     text_of(late.waits_in));
}

void Watchdog::note_silence() {
  const double most = silence();
  for (std::size_t i = 1; i < known_.size(); ++i)
    known_[i].silent = now_ - others_[i].heard_at > most;
}

bool Watchdog::all_heard_since(double time) const {
  for (std::size_t i = 0; i < known_.size(); ++i)
    if (!known_[i].silent && others_[i].heard_at < time) return false;
  return true;
}

void Watchdog::turn_of_rank() {
  while (const auto message = link_->receive()) {
    try {
      take_answer(*message);
    } catch (const std::out_of_range&) {  // of no use
    }
  }
  const std::uint64_t asked = asked_;
  const double unheard = now_ - answered_at_;
  if (unheard > silence() && (asked > 0 || over_)) {
    publish(fmt::format("rank 0 on {}, which knows about the others, does not answer",
                        known_.front().last.host),
            asked, true);
  }
  if (farewell_ && limit_ > 0 && unheard > limit_) {
    const std::lock_guard lock(mutex_);
    end_ =
        fmt::format("rank 0 on {} does not answer at the end of the job", known_.front().last.host);
  }
  if (awaits_answer_) return;
  bool urgent = farewell_;
  {
    const std::lock_guard lock(mutex_);
    urgent = urgent || answered_ < asked;
  }
  if (!urgent && now_ - reported_at_ < period_) return;
  MessageWriter out;
  out.number(asked).number(farewell_);
  write(out, record_.standing());
  link_->send(0, out.take());
  reported_at_ = now_;
  awaits_answer_ = true;
}

void Watchdog::take_answer(const WatchMessage& message) {
  MessageReader in(message.bytes);
  const std::uint64_t answered = in.number();
  const bool over = in.number() != 0;
  const bool all_came = in.number() != 0;
  awaits_answer_ = false;
  answered_at_ = now_;
  if (over) publish(in.text(), answered, true);
  if (!all_came) return;
  const std::lock_guard lock(mutex_);
  all_came_ = farewell_;
}

void Watchdog::publish(std::string text, std::uint64_t answered, bool over) {
  {
    const std::lock_guard lock(mutex_);
    words_ = std::move(text);
    answered_ = std::max(answered_, answered);
  }
  if (over) over_ = true;
  changed_.notify_all();
}

}  // namespace convoy
