// Contestants of one strategy, looked at before their first step and after their last.
#include "dist/measure/init_stats.h"

#include <algorithm>
#include <numeric>
#include <optional>

#include "core/error.h"
#include "dist/measure/contestant.h"
#include "dist/train/dataset_options.h"
#include "dist/train/training_data.h"

namespace convoy {
namespace {

constexpr std::int64_t kClassesWithoutData = 1000;
constexpr std::size_t kLastLosses = 10;

double mean_of_last(const std::vector<double>& losses) {
  const auto count = std::min(losses.size(), kLastLosses);
  return std::accumulate(losses.end() - static_cast<std::ptrdiff_t>(count), losses.end(), 0.0) /
         static_cast<double>(count);
}

class InitRuns {
 public:
  InitRuns(World& world, const InitStatsOptions& options)
      : world_(world), job_(options.job), steps_(options.steps) {
    job_.dist.strategy = "single";
    if (job_.data.train.empty()) {
      if (job_.model.classes == 0) job_.model.classes = kClassesWithoutData;
      return;
    }
    dataset_.emplace(open_dataset(job_.data.train, job_.data));
    job_ = with_classes(job_, *dataset_);
  }

  InitStats run() {
    InitStats stats;
    stats.steps = steps_;
    stats.effects.push_back(effect({"as it is", job_}, &stats.moments));
    for (const InitChange& change : init_changes(job_))
      stats.effects.push_back(effect(change, nullptr));
    return stats;
  }

 private:
  InitEffect effect(const InitChange& change, std::vector<InitMoment>* moments) {
    Contestant contestant(world_, change.job, dataset_ ? &*dataset_ : nullptr, steps_ + 1);
    // How convolutions are computed is measured once, and is the same for all.
    job_.device.conv = contestant.session().conv_choice().text();
    InitEffect found;
    found.change = change.name;
    const auto look = [&] {
      InitMoment moment = look_at(contestant);
      if (moments != nullptr) moments->push_back(moment);
      return moment;
    };
    const InitMoment start = look();
    found.logits = start.layers.back().output;
    found.loss = start.loss;
    if (steps_ == 0) return found;
    try {
      found.later_loss = mean_of_last(contestant.turn(0, steps_).losses);
    } catch (const Error& error) {
      if (error.code() != ExitCode::diverged) throw;
      found.diverged_at = contestant.steps_done();
      return found;
    }
    found.later_logits = look().layers.back().output;
    return found;
  }

  static InitMoment look_at(Contestant& contestant) {
    SpreadObserver observer(contestant.session());
    const double loss = contestant.observed_passes(observer);
    return {contestant.steps_done(), loss, observer.layers()};
  }

  World& world_;
  JobOptions job_;
  std::int64_t steps_;
  std::optional<Dataset> dataset_;
};

}  // namespace

InitStats measure_init_stats(World& world, const InitStatsOptions& options) {
  if (world.size() > 1) {
    fail(ExitCode::usage,
         "initial spreads are measured on one rank, and there are {}; start the command without "
         "mpirun",
         world.size());
  }
  return InitRuns(world, options).run();
}

}  // namespace convoy
