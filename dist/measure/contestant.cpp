// Trains in turns, as the trainer does, and keeps what was measured.
#include "dist/measure/contestant.h"

#include <algorithm>
#include <chrono>
#include <cmath>

#include "core/error.h"
#include "dist/step/layer_clock.h"
#include "dist/train/dataset_options.h"
#include "dist/train/training_data.h"
#include "io/read/batch_plan.h"

namespace convoy {
namespace {

using Clock = std::chrono::steady_clock;

constexpr int kRandomBatches = 2;
constexpr float kRandomMean = 127.5f;  // of random pixels

double ms_since(Clock::time_point start) {
  return std::chrono::duration<double, std::milli>(Clock::now() - start).count();
}

std::vector<float> mean_of(const Dataset* dataset, std::int64_t size) {
  if (dataset != nullptr) return dataset->mean_image();
  return std::vector<float>(static_cast<std::size_t>(size * size * 3), kRandomMean);
}

}  // namespace

// Reads the batches of steps [begin, end) from the dataset; where there is none, nothing.
class Contestant::Reading {
 public:
  Reading(Contestant& c, std::int64_t begin, std::int64_t end) {
    if (c.dataset_ == nullptr) return;
    plan_.emplace(*c.dataset_, augmentation(c.job_), c.session_.global_batch(), c.session_.slice(),
                  c.job_.run.seed, begin, end, shuffle_options(c.job_.data));
    reader_.emplace(*c.dataset_, *plan_, c.session_.reader_options(*c.dataset_, c.job_.data));
  }
  [[nodiscard]] Reader* reader() { return reader_ ? &*reader_ : nullptr; }

 private:
  std::optional<TrainPlan> plan_;
  std::optional<Reader> reader_;
};

Contestant::Contestant(World& world, const JobOptions& job, const Dataset* dataset,
                       std::int64_t last_step)
    : job_(job),
      dataset_(dataset),
      last_step_(last_step),
      session_(world, job),
      feed_(session_, job.preprocess, mean_of(dataset, job.model.input),
            dataset != nullptr ? dataset->image_size() : job.model.input),
      runner_(session_, job) {
  session_.network().initialise(job.run.seed, session_.stream());
  if (dataset == nullptr)
    random_.emplace(session_.device(), session_.slice(), job.model.input, job.model.classes,
                    job.run.seed, kRandomBatches);
}

double Contestant::fetch(Reader* reader, std::int64_t step) {
  feed_.release();
  if (reader == nullptr) {
    feed_.upload(random_->batch(step));
    return 0;
  }
  const auto start = Clock::now();
  const Batch batch = reader->next();
  const double waited = ms_since(start);
  feed_.upload(batch);
  return waited;
}

std::int64_t Contestant::epoch() const {
  const std::int64_t an_epoch =
      dataset_ == nullptr ? last_step_
                          : TrainPlan::steps_per_epoch(dataset_->size(), session_.global_batch());
  return step_ / an_epoch;
}

bool Contestant::noise() const {
  const PreprocessOptions& p = job_.preprocess;
  return dataset_ != nullptr && p.colour_noise > 0 &&
         (p.noise_epochs == 0 || epoch() < p.noise_epochs);
}

StepRunner::Result Contestant::step(Reader* reader, bool more, LayerObserver* observer) {
  runner_.keep_gradients(observer != nullptr);
  runner_.begin(feed_, noise(), {step_, epoch(), std::max(epoch() + 1, job_.run.epochs), 0},
                observer);
  ++step_;
  const double waited = more ? fetch(reader, step_) : 0;
  StepRunner::Result result = runner_.finish();
  result.ms.data_wait = waited;
  const double loss = result.sums.loss / static_cast<double>(result.sums.images);
  if (!std::isfinite(loss)) {
    fail(ExitCode::diverged,
         "the loss under strategy {} is not finite at step {}; most likely the learning rate {:g} "
         "is too high for this net and input, try a tenth of it",
         session_.strategy().name, step_, runner_.solver().learning_rate());
  }
  return result;
}

Contestant::Turn Contestant::turn(std::int64_t warmup, std::int64_t steps) {
  const std::int64_t end = step_ + warmup + steps;
  Reading reading(*this, step_, end);
  Reader* const source = reading.reader();
  Turn turn;
  fetch(source, step_);
  session_.everyone().barrier("turn");
  std::int64_t bytes = 0;
  Clock::time_point start;
  for (std::int64_t i = 0; i < warmup + steps; ++i) {
    if (i == warmup) {
      bytes = session_.payload_bytes();
      start = Clock::now();
    }
    const StepRunner::Result result = step(source, step_ + 1 < end, nullptr);
    turn.losses.push_back(result.sums.loss / static_cast<double>(result.sums.images));
    if (i >= warmup) turn.steps.push_back(result.ms);
  }
  turn.wall_ms = ms_since(start);
  turn.payload_bytes = (session_.payload_bytes() - bytes) / steps;
  return turn;
}

double Contestant::observed_passes(LayerObserver& observer) {
  Reading reading(*this, step_, step_ + 1);
  fetch(reading.reader(), step_);
  Network& network = session_.network();
  const Pass pass{session_.op(),
                  true,
                  {job_.run.seed, static_cast<std::uint32_t>(step_), session_.slice().begin}};
  feed_.await(pass.op.stream);
  feed_.load(noise(), pass.op, network.input());
  Pass test = pass;
  test.training = false;
  network.forward(test, &observer);
  network.forward(pass);
  session_.queue_loss(feed_.labels(), 1 / static_cast<float>(session_.global_batch()));
  network.backward(pass, nullptr, &observer);
  feed_.done(pass.op.stream);
  session_.wait();
  const LossSums sums = session_.total(session_.queued_loss());
  return sums.loss / static_cast<double>(sums.images);
}

std::vector<LayerTime> Contestant::observed_layers(std::int64_t steps) {
  LayerClock clock(session_.device(), session_.stream(), session_.network().layers().size());
  // Any batch will do, and no reader runs beside.
  const RandomBatches random(session_.device(), session_.slice(), job_.model.input,
                             job_.model.classes, job_.run.seed, 1);
  feed_.release();
  feed_.upload(random.batch(0));
  for (std::int64_t i = 0; i < steps; ++i) {
    step(nullptr, false, &clock);
    clock.read();
  }
  return layer_times(session_, clock);
}

}  // namespace convoy
