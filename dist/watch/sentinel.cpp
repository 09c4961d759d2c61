// Looks at the record and a clock.
#include "dist/watch/sentinel.h"

#include <chrono>
#include <utility>

#include "core/error.h"
#include "dist/watch/patience.h"
#include "dist/watch/quiet_thread.h"

namespace convoy {
namespace {

constexpr std::chrono::milliseconds kTick{100};
// For as long the trainer may be on its way to notice that the job is over.
constexpr double kOnItsWay = 0.5;
constexpr int kRankFailed = static_cast<int>(ExitCode::rank_failed);

}  // namespace

Sentinel::Sentinel(const CollectiveRecord& record, Job job, double margin)
    : record_(record), job_(std::move(job)), margin_(margin) {
  thread_ = make_quiet_thread("sentinel", [this] { work(); });
}

Sentinel::~Sentinel() {
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

void Sentinel::arm(std::function<void(const std::string&)> say) {
  say_ = std::move(say);
  armed_ = true;
}

void Sentinel::expect_end(int exit_code) { exit_code_ = exit_code; }

bool Sentinel::pause() {
  std::unique_lock lock(mutex_);
  changed_.wait_for(lock, kTick);
  return !stop_;
}

void Sentinel::work() {
  LivingClock clock;
  while (pause()) {
    const double now = clock.seconds();
    if (const int code = exit_code_; code >= 0) {
      if (ending_since_ < 0) ending_since_ = now;
      if (now - ending_since_ <= margin_) continue;
      job_.end(code);
      return;
    }
    if (!armed_ || (!too_long(now) && !over_unnoticed(now))) continue;
    job_.end(kRankFailed);
    return;
  }
}

// The trainer polls and has a clock of its own, unless it is stuck within a call.
bool Sentinel::too_long(double now) {
  const Standing standing = record_.standing();
  const AwaitedCollective& awaited = standing.waits_in;
  if (awaited.sequence != awaited_) {
    awaited_ = awaited.sequence;
    awaited_since_ = now;
  }
  if (awaited.sequence == 0 || awaited.limit == 0 ||
      now - awaited_since_ <= awaited.limit + margin_)
    return false;
  const std::string words = job_.words();
  say_(fmt::format("{} ({}) was not finished within {:g} seconds, and this rank is stuck in it{}",
                   text_of(awaited), at_text(standing), awaited.limit,
                   words.empty() ? "" : ": " + words));
  return true;
}

bool Sentinel::over_unnoticed(double now) {
  if (!job_.over() || job_.noticed()) {
    over_since_ = -1;
    return false;
  }
  if (over_since_ < 0) over_since_ = now;
  const Standing standing = record_.standing();
  if (!said_ && now - over_since_ > kOnItsWay) {
    said_ = true;
    say_(fmt::format("the job is over while this rank is at {}: {}", at_text(standing),
                     job_.words()));
  }
  return now - over_since_ > margin_;
}

}  // namespace convoy
