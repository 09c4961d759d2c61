// `convoy bench`: times the training step layer by layer on random images.
#include <algorithm>
#include <array>
#include <memory>
#include <vector>

#include "dist/spread.h"
#include "dist/step/layer_clock.h"
#include "dist/step/step_runner.h"
#include "dist/train/random_batches.h"

namespace convoy {
namespace {

// 10^9 bytes a second that a copy within the device's memory reads and writes: the best of a few.
double copy_rate(Device& device, Stream& stream) {
  constexpr int kRounds = 5;
  constexpr std::size_t bytes = std::size_t{512} << 20;
  const Buffer from = device.allocate(bytes);
  const Buffer to = device.allocate(bytes);
  const auto begin = device.make_event(true);
  const auto end = device.make_event(true);
  double best = 0;
  for (int round = 0; round < kRounds; ++round) {
    begin->record(stream);
    device.copy(to.data(), from.data(), bytes, stream);
    end->record(stream);
    stream.synchronize();
    best = std::max(best, 2e-6 * static_cast<double>(bytes) / end->milliseconds_since(*begin));
  }
  return best;
}

}  // namespace

BenchResult bench(World& world, const BenchOptions& options) {
  JobOptions job = options.job;
  if (job.model.classes == 0) job.model.classes = 1000;
  Session session(world, job);
  Network& network = session.network();
  network.initialise(job.run.seed, session.stream());
  const std::vector<float> mean(static_cast<std::size_t>(job.model.input * job.model.input * 3),
                                127.5f);
  InputFeed feed(session, job.preprocess, mean, job.model.input);
  const RandomBatches random(session.device(), session.slice(), job.model.input, job.model.classes,
                             job.run.seed, 1);
  StepRunner runner(session, job);
  runner.keep_gradients(false);

  // Two sets of steps: without a clock in each layer for the step's own time, then with it.
  std::int64_t step = 0;
  const auto run = [&](LayerObserver* observer) {
    runner.begin(feed, false, {step++, 0, 1, 0}, observer);
    feed.release();
    feed.upload(random.batch(step));  // the next step's
    return runner.finish();
  };
  feed.upload(random.batch(step));
  for (std::int64_t i = 0; i < options.warmup; ++i) run(nullptr);
  std::vector<double> steps;
  std::vector<double> updates;
  std::vector<double> exposed;
  for (std::int64_t i = 0; i < options.steps; ++i) {
    session.everyone().barrier("bench");
    const StepRunner::Result result = run(nullptr);
    steps.push_back(result.ms.step);
    updates.push_back(result.ms.update);
    exposed.push_back(result.ms.comm_exposed);
  }
  LayerClock clock(session.device(), session.stream(), network.layers().size());
  for (std::int64_t i = 0; i < options.steps; ++i) {
    run(&clock);
    clock.read();
  }

  BenchResult result;
  result.net = session.net();
  result.layers = layer_times(session, clock);
  std::array<double, 4> slowest{spread_of(steps).median, spread_of(updates).median,
                                spread_of(exposed).median,
                                static_cast<double>(session.device().peak_memory_bytes())};
  session.everyone().maximum("bench", slowest);
  result.step_ms = slowest[0];
  result.update_ms = slowest[1];
  result.comm_exposed_ms = slowest[2];
  result.peak_memory_bytes = static_cast<std::int64_t>(slowest[3]);
  result.images_per_second = 1000 * static_cast<double>(session.global_batch()) / result.step_ms;
  result.peak_gflops = session.device().measure_peak_gflops();
  // On a CPU a step lives in caches, which a copy says nothing about.
  if (session.device().kind() != DeviceKind::cpu)
    result.copy_gbytes = copy_rate(session.device(), session.stream());
  result.rank_images_per_second =
      1000 * static_cast<double>(session.slice().size()) / result.step_ms;
  if (!job.data.train.empty()) result.loader = bench_loader(world, job);
  result.device = session.device().description();
  result.strategy = session.strategy().name;
  result.ranks = world.size();
  result.warnings = session.warnings();
  return result;
}

}  // namespace convoy
