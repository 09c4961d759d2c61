// Begins, watches and finishes checkpoints, and says so in the log.
#include "dist/checkpoint/checkpoints.h"

#include <thread>
#include <utility>

#include <fmt/format.h>

namespace convoy {
namespace {

// Between looks at a checkpoint that training waits for.
constexpr std::chrono::milliseconds kLook{1};

}  // namespace

Checkpoints::Checkpoints(Checkpointer& checkpointer, Control& control, RunFolder* folder,
                         const RunOptions& options, std::int64_t start, std::filesystem::path path)
    : checkpointer_(checkpointer),
      control_(control),
      folder_(folder),
      minutes_(options.checkpoint_minutes),
      begun_(start),
      newest_(std::move(path)) {
  if (folder_ == nullptr) return;
  kept_.emplace(folder_->checkpoints(), options.keep, options.keep_best,
                newest_.empty() ? -1 : start);
}

bool Checkpoints::due() const {
  const std::chrono::duration<double, std::ratio<60>> passed = Clock::now() - began_;
  return kept_ && minutes_ > 0 && passed.count() >= minutes_;
}

void Checkpoints::begin(const CheckpointInfo& info) {
  if (info.step == begun_) return;
  if (control_.agree({.busy = checkpointer_.busy()}).busy) {
    if (folder_ != nullptr) {
      folder_->log(
          fmt::format("the checkpoint after step {} waits for the one after step {}, which "
                      "is still being written",
                      info.step, begun_),
          true);
    }
    finish();
  }
  began_ = Clock::now();
  begun_ = info.step;
  // A run that goes on from it finds in the folder what was written of the steps before.
  checkpointer_.begin(kept_ ? kept_->path(begun_) : std::filesystem::path{}, info,
                      [folder = folder_] { folder->settle(); });
  if (folder_ == nullptr) return;
  const std::chrono::duration<double, std::milli> stood = Clock::now() - began_;
  folder_->log(fmt::format("checkpoint after step {}: copied in {:.1f} ms", begun_, stood.count()),
               true);
}

void Checkpoints::progress() {
  if (!checkpointer_.progress()) return;
  const std::chrono::duration<double> took = Clock::now() - began_;
  newest_ = kept_->path(begun_);
  folder_->log(fmt::format("{} is whole, {:.2f} s after", newest_.string(), took.count()), true);
  kept_->written(begun_);
}

void Checkpoints::finish() {
  while (true) {
    progress();
    if (!control_.agree({.busy = checkpointer_.busy()}).busy) return;
    std::this_thread::sleep_for(kLook);
  }
}

void Checkpoints::best(std::int64_t step) {
  if (kept_) kept_->best(step);
}

void Checkpoints::proven(std::int64_t step) {
  if (kept_) kept_->proven(step);
}

std::optional<std::int64_t> Checkpoints::good_under_way() const {
  if (!kept_ || !checkpointer_.busy() || !kept_->is_proven(begun_)) return std::nullopt;
  return begun_;
}

std::filesystem::path Checkpoints::last_good() const {
  return kept_ ? kept_->last_good() : std::filesystem::path{};
}

}  // namespace convoy
