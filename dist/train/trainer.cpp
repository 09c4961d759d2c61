// Trains a run from its first step, or the one where it was left, to its last.
#include <algorithm>
#include <chrono>
#include <cmath>
#include <exception>
#include <memory>
#include <optional>

#include "core/error.h"
#include "dist/checkpoint/checkpoints.h"
#include "dist/checkpoint/resume.h"
#include "dist/checkpoint/run_folder.h"
#include "dist/checkpoint/weights_file.h"
#include "dist/comm/agreement.h"
#include "dist/comm/texts.h"
#include "dist/step/step_runner.h"
#include "dist/step/step_window.h"
#include "dist/train/dataset_options.h"
#include "dist/train/evaluator.h"
#include "dist/train/signals.h"
#include "dist/train/training_data.h"
#include "io/read/batch_plan.h"
#include "io/run/progress.h"

namespace convoy {
namespace {

// What a run goes on with, once it is known to be the same: kernels are those of its checkpoint,
// which a file could only repeat.
JobOptions continued(JobOptions options, const RunState& run, const Dataset& dataset) {
  require_same_run(run, dataset, options);
  if (run.exists) options.device.kernels.clear();
  return options;
}

// A step is begun before the next batch is there, and ended without it after so long, so that a
// reader that stands still does not keep ranks from hearing each other.
constexpr std::chrono::milliseconds kPatience{1000};
constexpr std::chrono::milliseconds kBetweenRounds{20};

class Trainer {
 public:
  Trainer(World& world, const JobOptions& options)
      : run_(find_run(*world.split(0), world.host(), options.run.dir)),
        dataset_(open_dataset(options.data.train, options.data)),
        options_(with_classes(options, dataset_)),
        session_(world, continued(options_, run_, dataset_), run_.record()),
        control_(world, options_.dist.timeout),
        steps_per_epoch_(TrainPlan::steps_per_epoch(dataset_.size(), session_.global_batch())),
        first_step_(run_.step()),
        last_step_(options_.run.steps > 0 ? options_.run.steps
                                          : options_.run.epochs * steps_per_epoch_),
        plan_(dataset_, augmentation(options_), session_.global_batch(), session_.slice(),
              options_.run.seed, first_step_, std::max(first_step_, last_step_),
              shuffle_options(options_.data)),
        feed_(session_, options_.preprocess, dataset_.mean_image(), dataset_.image_size()),
        reading_(session_.reader_options(dataset_, options_.data)),
        runner_(session_, options_),
        checkpointer_(session_, runner_.solver()),
        plateau_(options_.solver.plateau_patience, options_.solver.plateau_drops),
        step_(first_step_) {
    require_one_dataset(session_.everyone(), dataset_);
    open_validation();
    load_state();
    // A run that some rank refuses must not leave a run directory, which would refuse the next try.
    if (control_.agree({.stop = signals_.stop_asked()}).stop) {
      fail(ExitCode::stopped,
           "stopped on request before training went on; the same command starts it again");
    }
    open_folder();
    session_.keep_record(options_.run.dir);
  }

  TrainResult run();

 private:
  void open_validation();
  void load_state();
  void open_folder();
  void describe();
  void train_steps(std::int64_t end, Reader& reader, Progress& progress);
  void fetch(Reader& reader, std::chrono::milliseconds patience);
  void await_batch(Reader& reader, Notice all);
  [[nodiscard]] Notice notice();
  void answer(const Notice& all);
  [[noreturn]] void stop();
  [[noreturn]] void end_unreadable();
  void write_line(const LossSums& sums);
  void check_loss(double loss);
  [[nodiscard]] bool evaluation_due() const;
  void evaluate();
  void checkpoint();

  Signals signals_;  // the first: signals are heeded from here on
  RunState run_;     // where the run stood
  Dataset dataset_;
  JobOptions options_;
  Session session_;
  Control control_;
  std::int64_t steps_per_epoch_;
  std::int64_t first_step_;
  std::int64_t last_step_;
  TrainPlan plan_;
  InputFeed feed_;
  ReaderOptions reading_;
  StepRunner runner_;
  Checkpointer checkpointer_;
  PlateauTracker plateau_;
  double best_top1_ = -1;
  std::optional<Dataset> validation_;
  std::optional<Evaluator> evaluator_;
  std::string config_;                // all options as resolved
  std::optional<RunFolder> folder_;   // rank 0
  std::optional<Checkpoints> saved_;  // once there is a folder

  bool batch_there_ = false;       // of the coming step; also where it cannot be read
  std::exception_ptr unreadable_;  // why it cannot
  double waited_ms_ = 0;           // for it
  std::int64_t step_;              // finished
  StepWindow window_;
  double train_ms_ = 0;
  std::int64_t step_bytes_ = 0;
  TrainResult result_;
};

void Trainer::open_validation() {
  if (options_.data.val.empty()) return;
  validation_.emplace(open_dataset(options_.data.val, options_.data));
  require_one_dataset(session_.everyone(), *validation_);
  require_same_classes(dataset_.classes(), validation_->classes(), options_.data.val.string());
  evaluator_.emplace(session_, *validation_, options_, dataset_.mean_image(), dataset_.image_size(),
                     options_.run.eval_views);
}

void Trainer::load_state() {
  if (!run_.checkpoint) {
    session_.network().initialise(options_.run.seed, session_.stream());
    return;
  }
  load_weights(session_, *run_.checkpoint);
  load_moments(session_, runner_.solver(), *run_.checkpoint);
  const ContinuationInfo& before = *run_.checkpoint->info().continuation;
  plateau_.restore(before.plateau);
  best_top1_ = before.best_top1;
  for (std::string& sentence : differences_of_machines(before, session_))
    run_.warnings.push_back(std::move(sentence));
  run_.checkpoint.reset();
}

void Trainer::open_folder() {
  options_.dist.strategy = session_.strategy().name;  // never auto in what is written
  options_.device.conv = session_.conv_choice().text();
  if (options_.render) config_ = options_.render(options_);
  if (session_.leader()) {
    const bool finished = step_ >= last_step_ && !evaluation_due();
    folder_.emplace(
        run_.exists
            ? RunFolder::reopen(options_.run.dir, config_, std::move(run_.lock), step_, finished)
            : RunFolder::create(options_.run.dir, config_, session_.world().host()));
    describe();
  }
  saved_.emplace(checkpointer_, control_, folder_ ? &*folder_ : nullptr, options_.run, step_,
                 run_.path);
}

// What the log says first.
void Trainer::describe() {
  if (run_.exists) {
    folder_->log(run_.path.empty()
                     ? fmt::format("{} holds a run without a checkpoint, which starts again",
                                   options_.run.dir.string())
                     : fmt::format("goes on after step {} from {}", step_, run_.path.string()));
  }
  folder_->log(fmt::format(
      "strategy {} on {} rank(s), {}; {} images of {} classes, {} steps of {} images an epoch, {} "
      "left over each epoch",
      session_.strategy().name, session_.strategy().grid.ranks(), session_.device().description(),
      dataset_.size(), dataset_.classes().size(), steps_per_epoch_, session_.global_batch(),
      dataset_.size() - steps_per_epoch_ * session_.global_batch()));
  folder_->log(session_.conv_choice().report());
  folder_->log(fmt::format("checkpoints are written from a copy of {:.1f} MB here",
                           static_cast<double>(checkpointer_.memory_bytes()) / 1e6),
               true);
  folder_->keep_kernels(session_.device().choices().text());
  for (const std::string& warning : run_.warnings) folder_->warn(warning);
  for (const std::string& warning : session_.warnings()) folder_->warn(warning);
  if (runner_.solver().needs_validation() && (!evaluator_ || options_.run.eval_every == 0)) {
    folder_->warn(fmt::format(
        "the learning rate falls when the validation error stops improving, and {}: it will stay "
        "as it is",
        evaluator_ ? "run.eval-every is 0" : "there is no --data.val"));
  }
}

TrainResult Trainer::run() {
  if (step_ < last_step_) {
    Reader reader(dataset_, plan_, reading_);
    if (step_ > 0 && evaluation_due()) evaluate();  // a checkpoint is from before it
    await_batch(reader, control_.agree(notice()));
    Progress progress("train", "images", (last_step_ - step_) * session_.global_batch(),
                      !session_.leader());
    while (step_ < last_step_) {
      train_steps(std::min(last_step_, (step_ / steps_per_epoch_ + 1) * steps_per_epoch_), reader,
                  progress);
      checkpoint();  // first: a damaged validation image must not cost the epoch
      if (evaluation_due()) evaluate();
    }
  } else if (evaluation_due()) {
    evaluate();
  }
  saved_->finish();
  result_.steps = step_;
  result_.trained_steps = step_ - first_step_;
  result_.epochs = step_ / steps_per_epoch_;
  result_.checkpoint = saved_->newest();
  if (result_.trained_steps == 0) return result_;
  const auto trained = static_cast<double>(result_.trained_steps);
  result_.step_ms = train_ms_ / trained;
  result_.comm_exposed_ms /= trained;
  result_.images_per_second = 1000 * static_cast<double>(session_.global_batch()) / result_.step_ms;
  result_.comm_bytes = step_bytes_;
  return result_;
}

// Takes the next batch, if it comes in time, and starts its way to the device. A batch that cannot
// be read is kept for its own step: the one before it counts.
void Trainer::fetch(Reader& reader, std::chrono::milliseconds patience) {
  if (batch_there_) return;
  const auto start = std::chrono::steady_clock::now();
  try {
    if (reader.ready_within(patience)) {
      feed_.release();
      feed_.upload(reader.next());
      batch_there_ = true;
    }
  } catch (...) {
    unreadable_ = std::current_exception();
    batch_there_ = true;
  }
  const std::chrono::duration<double, std::milli> waited = std::chrono::steady_clock::now() - start;
  waited_ms_ += waited.count();
}

// Goes on when every rank has its batch of the coming step, and heeds what is asked meanwhile.
void Trainer::await_batch(Reader& reader, Notice all) {
  const double limit_ms = 1000 * options_.dist.timeout;
  answer(all);
  while (all.waiting) {
    fetch(reader, kBetweenRounds);
    if (!batch_there_ && limit_ms > 0 && waited_ms_ > limit_ms) {
      fail(ExitCode::bad_data,
           "no batch has come from {} for {:g} seconds; its file system does not answer or is slow "
           "(raise --dist.timeout then)",
           dataset_.folder().string(), options_.dist.timeout);
    }
    all = control_.agree(notice());
    answer(all);
  }
}

Notice Trainer::notice() {
  return {.stop = signals_.stop_asked(),
          .checkpoint = signals_.take_checkpoint_request() || saved_->due(),
          .waiting = !batch_there_,
          .failed = unreadable_ != nullptr};
}

// All ranks do the same: they have heard the same.
void Trainer::answer(const Notice& all) {
  if (all.failed) end_unreadable();
  if (all.stop) stop();
  if (all.checkpoint && folder_) {
    folder_->log(fmt::format("a checkpoint is due after step {}, by signal or by clock", step_),
                 true);
  }
  const std::int64_t every = options_.run.checkpoint_every;
  if (all.checkpoint || (every > 0 && step_ % every == 0)) checkpoint();
}

void Trainer::stop() {
  checkpoint();
  saved_->finish();
  const std::string done =
      saved_->newest().empty() && session_.leader()
          ? "before the first step; the same command starts the run again"
          : fmt::format("after step {} of {}, which is in {}; the same command goes on from there",
                        step_, last_step_, saved_->newest().string());
  if (folder_) folder_->log("stopped on request " + done, true);
  session_.everyone().barrier("stop");  // the first process to leave may end the others
  fail(ExitCode::stopped, "stopped on request {}", done);
}

// The weights are as good as ever: only the images of a rank are not.
void Trainer::end_unreadable() {
  checkpoint();
  saved_->finish();
  if (unreadable_) std::rethrow_exception(unreadable_);
  session_.everyone().barrier("end of the rank that cannot read its images");
  fail(ExitCode::rank_failed, "another rank could not read its images and went on");
}

// Trains until `end` steps are done; all in one epoch.
void Trainer::train_steps(std::int64_t end, Reader& reader, Progress& progress) {
  const std::int64_t epoch = step_ / steps_per_epoch_;
  const std::int64_t epochs = (last_step_ + steps_per_epoch_ - 1) / steps_per_epoch_;
  const PreprocessOptions& p = options_.preprocess;
  const bool noise = p.colour_noise > 0 && (p.noise_epochs == 0 || epoch < p.noise_epochs);
  while (step_ < end) {
    const std::int64_t bytes_before = session_.payload_bytes();
    runner_.begin(feed_, noise, {step_, epoch, epochs, plateau_.drops()});
    batch_there_ = step_ + 1 == last_step_;
    fetch(reader, kPatience);
    control_.say(notice());
    StepRunner::Result result = runner_.finish();
    step_bytes_ = session_.payload_bytes() - bytes_before;
    result.ms.data_wait = std::exchange(waited_ms_, 0);
    window_.add(result.ms);
    train_ms_ += result.ms.step;
    result_.comm_exposed_ms += result.ms.comm_exposed;
    ++step_;

    const double loss = result.sums.loss / static_cast<double>(result.sums.images);
    check_loss(loss);
    result_.last_loss = loss;
    progress.update((step_ - first_step_) * session_.global_batch(),
                    fmt::format("loss {:.4f}", loss));
    if (step_ % options_.run.log_every == 0 || step_ == end) write_line(result.sums);
    saved_->progress();
    await_batch(reader, control_.hear());
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
    saved_->proven(step_ - 1);
    return;
  }
  const std::string good =
      broadcast_text(session_.everyone(), "last good", saved_->last_good().string(), 0);
  const std::string last =
      good.empty() ? "there is no checkpoint from before" : "the last good checkpoint is " + good;
  fail(ExitCode::diverged,
       "the loss became {} at step {} (epoch {}), after {:.4g} the step before; most likely the "
       "learning rate {:g} is too high for this net and input, try a tenth of it; {}",
       loss, step_, (step_ - 1) / steps_per_epoch_, result_.last_loss,
       runner_.solver().learning_rate(), last);
}

// After this many steps, for the first time in this run or again after the checkpoint of this step.
bool Trainer::evaluation_due() const {
  const std::int64_t every = options_.run.eval_every;
  const std::int64_t epochs = step_ / steps_per_epoch_;
  const bool by_epoch = every > 0 && step_ % steps_per_epoch_ == 0 && epochs % every == 0;
  if (!evaluator_ || step_ > last_step_ || (step_ < last_step_ && !by_epoch)) return false;
  return step_ < last_step_ || step_ > first_step_ || !run_.evaluated;
}

void Trainer::evaluate() {
  // Asked to stop, ranks do so within the evaluation, which is made again when the run goes on.
  control_.say({.stop = signals_.stop_asked()});
  result_.eval = evaluator_->run(false, [this] {
    saved_->progress();
    if (control_.hear().stop) stop();
    control_.say({.stop = signals_.stop_asked()});
  });
  static_cast<void>(control_.hear());
  if (!std::isfinite(result_.eval.loss)) {
    fail(
        ExitCode::diverged,
        "the validation loss is no longer finite after step {}; most likely the learning rate {:g} "
        "is too high for this net and input, try a tenth of it",
        step_, runner_.solver().learning_rate());
  }
  if (result_.eval.top1 > best_top1_) {
    best_top1_ = result_.eval.top1;
    saved_->best(step_);
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
  info.continuation = {session_.global_batch(),
                       plateau_.state(),
                       best_top1_,
                       session_.device().choices().text(),
                       session_.device().kernels(),
                       session_.strategy().name,
                       session_.world().size()};
  saved_->begin(info);
}

}  // namespace

TrainResult train(World& world, const JobOptions& options) { return Trainer(world, options).run(); }

}  // namespace convoy
