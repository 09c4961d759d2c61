// Evaluations between epochs and at the end.
#include "dist/train/validation.h"

#include <algorithm>

#include <fmt/format.h>

#include "core/error.h"
#include "dist/comm/agreement.h"
#include "dist/train/dataset_options.h"

namespace convoy {

Validation::Validation(Session& session, const Dataset& training, const JobOptions& options)
    : session_(session),
      every_(options.run.eval_every),
      plateau_(options.solver.plateau_patience, options.solver.plateau_drops) {
  if (options.data.val.empty()) return;
  dataset_.emplace(open_dataset(options.data.val, options.data));
  require_one_dataset(session_.everyone(), *dataset_);
  fingerprint_ = dataset_->fingerprint();
  require_same_classes(training.classes(), dataset_->classes(), options.data.val.string());
  evaluator_.emplace(session_, *dataset_, options, training.mean_image(), training.image_size(),
                     options.run.eval_views);
}

void Validation::restore(const CheckpointInfo& checkpoint, bool evaluated) {
  const std::string& before = checkpoint.continuation->validation;
  if (dataset_ && !before.empty() && before != dataset_->fingerprint()) {
    fail(ExitCode::usage,
         "{} is not the validation set that the run was evaluated on (fingerprint {} here, {} in "
         "its checkpoint), and its best checkpoint and its learning rate hang on that; give "
         "--data.val the same one, or choose another --run.dir",
         dataset_->folder().string(), dataset_->fingerprint(), before);
  }
  fingerprint_ = dataset_ ? dataset_->fingerprint() : before;
  plateau_.restore(checkpoint.continuation->plateau);
  best_top1_ = checkpoint.continuation->best_top1;
  first_step_ = checkpoint.step;
  first_is_done_ = evaluated;
}

void Validation::save(ContinuationInfo& info) const {
  info.plateau = plateau_.state();
  info.best_top1 = best_top1_;
  info.validation = fingerprint_;
}

bool Validation::due(std::int64_t step, std::int64_t steps_per_epoch,
                     std::int64_t last_step) const {
  const bool by_epoch =
      every_ > 0 && step % steps_per_epoch == 0 && step / steps_per_epoch % every_ == 0;
  if (!exists() || step > last_step || (step < last_step && !by_epoch)) return false;
  return step < last_step || step > first_step_ || !first_is_done_;
}

EvalResult Validation::evaluate(const std::function<void()>& between) {
  return evaluator_->run(false, between);
}

bool Validation::record(const EvalResult& result, std::int64_t step, std::int64_t epochs,
                        RunFolder* folder) {
  const bool best = result.top1 > best_top1_;
  best_top1_ = std::max(best_top1_, result.top1);
  plateau_.observe(1 - result.top1, std::max<std::int64_t>(1, every_));
  if (folder != nullptr) {
    folder->write(EvalMetrics{step, epochs, result.loss, result.top1, result.top5, result.views,
                              result.images});
    folder->log(
        fmt::format("after epoch {} (step {}): validation loss {:.4f}, top-1 {:.2f} %, top-5 "
                    "{:.2f} % of {} images, {} view(s)",
                    epochs, step, result.loss, 100 * result.top1, 100 * result.top5, result.images,
                    result.views));
  }
  return best;
}

}  // namespace convoy
