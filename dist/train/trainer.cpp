// Trains a run from its first step, or the one where it was left, to its last.
#include <algorithm>
#include <chrono>
#include <cmath>
#include <optional>

#include "core/error.h"
#include "dist/checkpoint/checkpoints.h"
#include "dist/checkpoint/resume.h"
#include "dist/checkpoint/run_folder.h"
#include "dist/checkpoint/weights_file.h"
#include "dist/comm/agreement.h"
#include "dist/comm/texts.h"
#include "dist/step/input_spec.h"
#include "dist/step/step_runner.h"
#include "dist/step/step_window.h"
#include "dist/train/board_log.h"
#include "dist/train/dataset_options.h"
#include "dist/train/next_batch.h"
#include "dist/train/run_log.h"
#include "dist/train/signals.h"
#include "dist/train/trace_window.h"
#include "dist/train/training_data.h"
#include "dist/train/validation.h"
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
        batch_(feed_),
        reading_(session_.reader_options(dataset_, options_.data)),
        runner_(session_, options_),
        checkpointer_(session_, runner_.solver()),
        board_(session_, options_),
        step_(first_step_),
        trace_(session_, options_.run, last_step_) {
    require_one_dataset(session_.everyone(), dataset_);
    validation_.emplace(session_, dataset_, options_);
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
  void load_state();
  void begin_with(const std::filesystem::path& weights);
  void open_folder();
  void describe();
  void train_steps(std::int64_t end, Reader& reader, Progress& progress);
  void await_batch(Reader& reader, Notice all);
  [[nodiscard]] Notice notice();
  void settle();
  void answer(const Notice& all);
  [[noreturn]] void stop();
  [[noreturn]] void end_unreadable();
  void write_line(const LossSums& sums);
  void check_loss(double loss);
  [[noreturn]] void diverged(const std::string& what);
  [[nodiscard]] std::string last_good() const;
  [[nodiscard]] RunFolder* folder() { return folder_ ? &*folder_ : nullptr; }
  [[nodiscard]] bool evaluation_due() const {
    return validation_->due(step_, steps_per_epoch_, last_step_);
  }
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
  NextBatch batch_;
  ReaderOptions reading_;
  StepRunner runner_;
  std::optional<RunFolder> folder_;  // rank 0; outlives a checkpoint that is under way
  Checkpointer checkpointer_;
  BoardLog board_;
  std::optional<Validation> validation_;  // once all ranks have the same training set
  std::string config_;                    // all options as resolved
  std::optional<Checkpoints> saved_;      // once there is a folder

  std::int64_t step_;  // finished
  StepWindow window_;
  TraceWindow trace_;
  double train_ms_ = 0;
  std::int64_t step_bytes_ = 0;
  TrainResult result_;
};

void Trainer::load_state() {
  if (!run_.checkpoint) {
    session_.network().initialise(options_.run.seed, session_.stream());
    if (!options_.run.weights.empty()) begin_with(options_.run.weights);
    return;
  }
  load_weights(session_, *run_.checkpoint);
  load_moments(session_, runner_.solver(), *run_.checkpoint);
  const CheckpointInfo& before = run_.checkpoint->info();
  validation_->restore(before, run_.evaluated);
  for (std::string& sentence : differences_of_machines(*before.continuation, session_))
    run_.warnings.push_back(std::move(sentence));
  run_.checkpoint.reset();
}

// The weights of another run, without its momentum.
void Trainer::begin_with(const std::filesystem::path& weights) {
  const CheckpointReader checkpoint(weights);
  require_one_checkpoint(session_.everyone(), checkpoint.info());
  load_weights(session_, checkpoint);
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
    if (options_.run.tensorboard) folder_->keep_events(step_);
    describe();
  }
  saved_.emplace(checkpointer_, control_, folder(), options_.run, step_, run_.path);
}

// What the log says first.
void Trainer::describe() {
  log_beginning(*folder_, options_, run_, session_, dataset_, step_, steps_per_epoch_,
                checkpointer_.memory_bytes());
  if (reading_.share)
    folder_->log("the ranks of a replica share a ring of batches, and read each image once", true);
  if (runner_.solver().needs_validation() &&
      (!validation_->exists() || options_.run.eval_every == 0)) {
    folder_->warn(fmt::format(
        "the learning rate falls when the validation error stops improving, and {}: it will stay "
        "as it is",
        validation_->exists() ? "run.eval-every is 0" : "there is no --data.val"));
  }
}

TrainResult Trainer::run() {
  if (step_ < last_step_) {
    board_.begin(dataset_, config_, step_, folder());
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
  settle();
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

// Goes on when every rank has its batch of the coming step, and heeds what is asked meanwhile.
void Trainer::await_batch(Reader& reader, Notice all) {
  const double limit_ms = 1000 * options_.dist.timeout;
  answer(all);
  while (all.waiting) {
    batch_.fetch(reader, kBetweenRounds);
    if (!batch_.there() && limit_ms > 0 && batch_.waited_ms() > limit_ms) {
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
          .waiting = !batch_.there(),
          .failed = batch_.unreadable()};
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

// What this run has done so far is on its disk.
void Trainer::settle() {
  saved_->finish();
  if (folder_) folder_->settle();
}

void Trainer::stop() {
  checkpoint();
  settle();
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
  settle();
  batch_.rethrow();
  session_.everyone().barrier("end of the rank that cannot read its images");
  fail(ExitCode::rank_failed, "another rank could not read its images and went on");
}

// Trains until `end` steps are done; all in one epoch.
void Trainer::train_steps(std::int64_t end, Reader& reader, Progress& progress) {
  const std::int64_t epoch = step_ / steps_per_epoch_;
  const std::int64_t epochs = (last_step_ + steps_per_epoch_ - 1) / steps_per_epoch_;
  const bool noise = carries_noise(options_.preprocess, epoch);
  while (step_ < end) {
    const std::int64_t bytes_before = session_.payload_bytes();
    runner_.keep_gradients(board_.reads_gradients_after(step_ + 1, last_step_));
    runner_.begin(feed_, noise, {step_, epoch, epochs, validation_->drops()},
                  trace_.begin_step(step_ + 1));
    batch_.used(step_ + 1 < last_step_);
    trace_.timed("wait for data", [&] { batch_.fetch(reader, kPatience); });
    control_.say(notice());
    StepRunner::Result result;
    trace_.timed("finish", [&] { result = runner_.finish(); });
    step_bytes_ = session_.payload_bytes() - bytes_before;
    result.ms.data_wait = batch_.take_waited_ms();
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
    board_.after_step(step_, last_step_, folder());
    saved_->progress();
    trace_.timed("hear ranks", [&] { await_batch(reader, control_.hear()); });
    if (trace_.end_step(step_, runner_) && folder_)
      folder_->log(fmt::format("steps until {} are traced, for convoy show trace", step_), true);
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
  log_step(*folder_, line);
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
  std::string what = fmt::format("the loss became {} at step {} (epoch {})", loss, step_,
                                 (step_ - 1) / steps_per_epoch_);
  if (step_ - 1 > first_step_)
    what += fmt::format(", after {:.4g} the step before", result_.last_loss);
  if (std::isfinite(loss))
    what +=
        fmt::format(", above {} {:.4g}",
                    options_.run.max_loss > 0 ? "run.max-loss, which is" : "the limit of", limit);
  diverged(what);
}

void Trainer::diverged(const std::string& what) {
  const std::string reason =
      step_ == 1 ? "no weight had been changed yet, so the initial weights or the scale of the "
                   "input do not fit this net"
                 : fmt::format(
                       "most likely the learning rate {:g} is too high for this net and "
                       "input, try a tenth of it",
                       runner_.solver().learning_rate());
  const std::string last = broadcast_text(session_.everyone(), "last good", last_good(), 0);
  fail(ExitCode::diverged, "{}; {}; {}", what, reason, last);
}

// On rank 0.
std::string Trainer::last_good() const {
  const std::filesystem::path good = saved_->last_good();
  if (!good.empty()) return "the last good checkpoint is " + good.string();
  if (const auto step = saved_->good_under_way())
    return fmt::format("the checkpoint after step {} was still being written", *step);
  const std::string none = "there is no checkpoint from before";
  if (saved_->newest().empty()) return none;
  return fmt::format("{}; the newest, {}, has these weights", none, saved_->newest().string());
}

void Trainer::evaluate() {
  // Asked to stop, ranks do so within the evaluation, which is made again when the run goes on.
  control_.say({.stop = signals_.stop_asked()});
  result_.eval = validation_->evaluate([this] {
    saved_->progress();
    if (control_.hear().stop) stop();
    control_.say({.stop = signals_.stop_asked()});
  });
  static_cast<void>(control_.hear());
  if (!std::isfinite(result_.eval.loss))
    diverged(fmt::format("the validation loss is no longer finite after step {}", step_));
  if (validation_->record(result_.eval, step_, step_ / steps_per_epoch_, folder()))
    saved_->best(step_);
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
  info.continuation.emplace();
  validation_->save(*info.continuation);
  info.continuation->global_batch = session_.global_batch();
  info.continuation->kernels = session_.device().choices().text();
  info.continuation->made_on = session_.device().kernels();
  info.continuation->strategy = session_.strategy().name;
  info.continuation->ranks = session_.world().size();
  info.continuation->threads = session_.device().host_threads();
  saved_->begin(info);
}

}  // namespace

TrainResult train(World& world, const JobOptions& options) { return Trainer(world, options).run(); }

}  // namespace convoy
