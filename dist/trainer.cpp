// Trains a run from its first step to its last.
#include <array>
#include <chrono>
#include <cmath>
#include <exception>
#include <memory>
#include <optional>

#include "core/error.h"
#include "dist/agreement.h"
#include "dist/evaluator.h"
#include "dist/run_folder.h"
#include "dist/step_runner.h"
#include "dist/training_data.h"
#include "dist/weights_file.h"
#include "io/batch_plan.h"
#include "io/progress.h"

namespace convoy {
namespace {

// Means since the last line of metrics.
class Window {
 public:
  void add(const StepTimes& ms) {
    ++steps_;
    sum_.step += ms.step;
    sum_.data_wait += ms.data_wait;
    sum_.forward += ms.forward;
    sum_.backward += ms.backward;
    sum_.comm_exposed += ms.comm_exposed;
    sum_.update += ms.update;
  }
  // The largest mean over ranks, of each time for itself. Collective.
  StepTimes take(Communicator& everyone) {
    const double n = static_cast<double>(steps_);
    std::array<double, 6> values{sum_.step / n,     sum_.data_wait / n,    sum_.forward / n,
                                 sum_.backward / n, sum_.comm_exposed / n, sum_.update / n};
    everyone.maximum("times", values);
    *this = {};
    return {values[0], values[1], values[2], values[3], values[4], values[5]};
  }

 private:
  std::int64_t steps_ = 0;
  StepTimes sum_;
};

class Trainer {
 public:
  Trainer(World& world, const JobOptions& options)
      : dataset_(options.data.train, verify_mode(options.data.verify)),
        options_(with_classes(options, dataset_)),
        session_(world, options_),
        steps_per_epoch_(TrainPlan::steps_per_epoch(dataset_.size(), session_.global_batch())),
        last_step_(options_.run.steps > 0 ? options_.run.steps
                                          : options_.run.epochs * steps_per_epoch_),
        plan_(dataset_, augmentation(options_), session_.global_batch(), session_.slice(),
              options_.run.seed, 0, last_step_),
        feed_(session_, options_.preprocess, dataset_.mean_image(), dataset_.image_size()),
        runner_(session_, options_),
        plateau_(options_.solver.plateau_patience, options_.solver.plateau_drops) {
    require_one_dataset(session_.everyone(), dataset_);
    open_validation();
    // A run that some rank refuses must not leave a run directory, which would refuse the next try.
    session_.everyone().barrier("ready");
    open_folder();
  }

  TrainResult run();

 private:
  void open_validation();
  void open_folder();
  void train_steps(std::int64_t end, Reader& reader, Progress& progress);
  double fetch(Reader& reader);
  void write_line(const LossSums& sums);
  void check_loss(double loss);
  void evaluate();
  void checkpoint();

  Dataset dataset_;
  JobOptions options_;
  Session session_;
  std::int64_t steps_per_epoch_;
  std::int64_t last_step_;
  TrainPlan plan_;
  InputFeed feed_;
  StepRunner runner_;
  PlateauTracker plateau_;
  std::optional<Dataset> validation_;
  std::optional<Evaluator> evaluator_;
  std::string config_;                 // all options as resolved
  std::unique_ptr<RunFolder> folder_;  // rank 0

  std::exception_ptr unreadable_;  // why the coming step's batch is not there
  std::int64_t step_ = 0;          // finished
  Window window_;
  double train_ms_ = 0;
  std::int64_t step_bytes_ = 0;
  TrainResult result_;
  std::filesystem::path good_checkpoint_;  // the newest whose weights gave a finite loss
};

void Trainer::open_validation() {
  if (options_.data.val.empty()) return;
  validation_.emplace(options_.data.val, verify_mode(options_.data.verify));
  require_one_dataset(session_.everyone(), *validation_);
  require_same_classes(dataset_.classes(), validation_->classes(), options_.data.val.string());
  evaluator_.emplace(session_, *validation_, options_, dataset_.mean_image(), dataset_.image_size(),
                     options_.run.eval_views);
}

void Trainer::open_folder() {
  options_.dist.strategy = session_.strategy().name;  // never auto in what is written
  options_.device.conv = session_.conv_choice().text();
  if (options_.render) config_ = options_.render(options_);
  if (!session_.leader()) return;
  folder_ = std::make_unique<RunFolder>(options_.run.dir, config_);
  folder_->log(fmt::format(
      "strategy {} on {} rank(s), {}; {} images of {} classes, {} steps of {} images an epoch, {} "
      "left over each epoch",
      session_.strategy().name, session_.strategy().grid.ranks(), session_.device().description(),
      dataset_.size(), dataset_.classes().size(), steps_per_epoch_, session_.global_batch(),
      dataset_.size() - steps_per_epoch_ * session_.global_batch()));
  folder_->log(session_.conv_choice().report());
  folder_->keep_kernels(session_.device().choices().text());
  for (const std::string& warning : session_.warnings()) folder_->warn(warning);
  if (runner_.solver().needs_validation() && (!evaluator_ || options_.run.eval_every == 0)) {
    folder_->warn(fmt::format(
        "the learning rate falls when the validation error stops improving, and {}: it will stay "
        "as it is",
        evaluator_ ? "run.eval-every is 0" : "there is no --data.val"));
  }
}

TrainResult Trainer::run() {
  session_.network().initialise(options_.run.seed, session_.stream());
  {
    Reader reader(dataset_, plan_, session_.reader_options(options_.data));
    fetch(reader);
    Progress progress("train", "images", last_step_ * session_.global_batch(), !session_.leader());
    while (step_ < last_step_) {
      train_steps(std::min(last_step_, (step_ / steps_per_epoch_ + 1) * steps_per_epoch_), reader,
                  progress);
      checkpoint();  // first: a damaged validation image must not cost the epoch
      const std::int64_t every = options_.run.eval_every;
      const bool due = every > 0 && step_ / steps_per_epoch_ % every == 0;
      if (due || step_ == last_step_) evaluate();
    }
  }
  result_.steps = step_;
  result_.epochs = step_ / steps_per_epoch_;
  result_.step_ms = train_ms_ / static_cast<double>(step_);
  result_.comm_exposed_ms /= static_cast<double>(step_);
  result_.images_per_second = 1000 * static_cast<double>(session_.global_batch()) / result_.step_ms;
  result_.comm_bytes = step_bytes_;
  return result_;
}

// Takes the next batch and starts its way to the device; returns the ms waited for the reader. A
// batch that cannot be read is kept for its own step: the one before it counts.
double Trainer::fetch(Reader& reader) {
  feed_.release();
  const auto start = std::chrono::steady_clock::now();
  try {
    const Batch batch = reader.next();
    const std::chrono::duration<double, std::milli> waited =
        std::chrono::steady_clock::now() - start;
    feed_.upload(batch);
    return waited.count();
  } catch (...) {
    unreadable_ = std::current_exception();
    return 0;
  }
}

// Trains until `end` steps are done; all in one epoch.
void Trainer::train_steps(std::int64_t end, Reader& reader, Progress& progress) {
  const std::int64_t epoch = step_ / steps_per_epoch_;
  const std::int64_t epochs = (last_step_ + steps_per_epoch_ - 1) / steps_per_epoch_;
  const PreprocessOptions& p = options_.preprocess;
  const bool noise = p.colour_noise > 0 && (p.noise_epochs == 0 || epoch < p.noise_epochs);
  while (step_ < end) {
    if (unreadable_) std::rethrow_exception(unreadable_);
    const std::int64_t bytes_before = session_.payload_bytes();
    runner_.begin(feed_, noise, {step_, epoch, epochs, plateau_.drops()});
    const double waited_ms = step_ + 1 < last_step_ ? fetch(reader) : 0;
    StepRunner::Result result = runner_.finish();
    step_bytes_ = session_.payload_bytes() - bytes_before;
    result.ms.data_wait = waited_ms;
    window_.add(result.ms);
    train_ms_ += result.ms.step;
    result_.comm_exposed_ms += result.ms.comm_exposed;
    ++step_;

    const double loss = result.sums.loss / static_cast<double>(result.sums.images);
    check_loss(loss);
    result_.last_loss = loss;
    progress.update(step_ * session_.global_batch(), fmt::format("loss {:.4f}", loss));
    if (step_ % options_.run.log_every == 0 || step_ == end) write_line(result.sums);
    const std::int64_t every = options_.run.checkpoint_every;
    if (every > 0 && step_ % every == 0 && step_ < end) checkpoint();
  }
}

void Trainer::write_line(const LossSums& sums) {
  const StepTimes ms = window_.take(session_.everyone());
  if (!folder_) return;
  const auto images = static_cast<double>(sums.images);
  TrainMetrics line;
  line.step = step_;
  line.epoch = (step_ - 1) / steps_per_epoch_;
  line.loss = sums.loss / images;
  line.top1 = static_cast<double>(sums.top1) / images;
  line.top5 = static_cast<double>(sums.top5) / images;
  line.lr = runner_.solver().learning_rate();
  line.images_per_second = 1000 * static_cast<double>(session_.global_batch()) / ms.step;
  line.ms = ms;
  line.comm_bytes = step_bytes_;
  folder_->metrics().write(line);
  folder_->log(fmt::format("step {} epoch {} loss {:.5f} lr {:g} {:.1f} images/s", line.step,
                           line.epoch, line.loss, line.lr, line.images_per_second),
               true);
}

// Every rank sees the same sums, so all stop at the same step.
void Trainer::check_loss(double loss) {
  const double limit = options_.run.max_loss > 0
                           ? options_.run.max_loss
                           : 50 * std::log(static_cast<double>(options_.model.classes) + 1);
  if (std::isfinite(loss) && loss <= limit) {
    good_checkpoint_ = result_.checkpoint;
    return;
  }
  const std::string last = good_checkpoint_.empty() || !std::filesystem::exists(good_checkpoint_)
                               ? "there is no checkpoint from before"
                               : "the last good checkpoint is " + good_checkpoint_.string();
  fail(ExitCode::diverged,
       "the loss became {} at step {} (epoch {}), after {:.4g} the step before; most likely the "
       "learning rate {:g} is too high for this net and input, try a tenth of it; {}",
       loss, step_, (step_ - 1) / steps_per_epoch_, result_.last_loss,
       runner_.solver().learning_rate(), last);
}

void Trainer::evaluate() {
  if (!evaluator_) return;
  result_.eval = evaluator_->run();
  if (!std::isfinite(result_.eval.loss)) {
    fail(
        ExitCode::diverged,
        "the validation loss is no longer finite after step {}; most likely the learning rate {:g} "
        "is too high for this net and input, try a tenth of it",
        step_, runner_.solver().learning_rate());
  }
  plateau_.observe(1 - result_.eval.top1, std::max<std::int64_t>(1, options_.run.eval_every));
  if (!folder_) return;
  const EvalResult& eval = result_.eval;
  const std::int64_t epochs = step_ / steps_per_epoch_;
  folder_->metrics().write(
      EvalMetrics{step_, epochs, eval.loss, eval.top1, eval.top5, eval.views, eval.images});
  folder_->log(fmt::format(
      "after epoch {} (step {}): validation loss {:.4f}, top-1 {:.2f} %, top-5 "
      "{:.2f} % of {} images, {} view(s)",
      epochs, step_, eval.loss, 100 * eval.top1, 100 * eval.top5, eval.images, eval.views));
}

void Trainer::checkpoint() {
  CheckpointInfo info;
  info.step = step_;
  info.epoch = step_ / steps_per_epoch_;
  info.config = config_;
  info.fingerprint = dataset_.fingerprint();
  info.classes = dataset_.classes();
  info.image_size = dataset_.image_size();
  info.mean_image = dataset_.mean_image();
  info.pca = dataset_.pca();
  const auto path = folder_ ? folder_->checkpoint(step_) : std::filesystem::path{};
  save_weights(session_, path, info);
  if (folder_) folder_->remove_old_checkpoints(options_.run.keep);
  result_.checkpoint = path;
}

}  // namespace

TrainResult train(World& world, const JobOptions& options) { return Trainer(world, options).run(); }

}  // namespace convoy
