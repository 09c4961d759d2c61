// `convoy bench`: times the training step layer by layer on random images.
#include <algorithm>
#include <array>
#include <memory>
#include <vector>

#include "core/random.h"
#include "dist/step_runner.h"

namespace convoy {
namespace {

double median(std::vector<double> values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::ranges::nth_element(values, middle);
  return *middle;
}

// Times every layer's passes by marks in the stream, those of all turns of a step together.
class LayerClock : public LayerObserver {
 public:
  LayerClock(Device& device, Stream& stream, std::size_t layers)
      : device_(device), stream_(stream), passes_(layers) {}
  void begin(std::size_t layer, bool backward) override {
    Passes& pass = at(layer, backward);
    if (pass.done == pass.marks.size())
      pass.marks.push_back({device_.make_event(true), device_.make_event(true)});
    pass.marks[pass.done].begin->record(stream_);
  }
  void end(std::size_t layer, bool backward) override {
    Passes& pass = at(layer, backward);
    pass.marks[pass.done++].end->record(stream_);
  }
  // After each step, once the stream has passed it.
  void read() {
    for (auto& layer : passes_)
      for (Passes& pass : layer) {
        pass.ms.push_back(0);
        for (const Marks& turn : pass.marks)
          pass.ms.back() += turn.end->milliseconds_since(*turn.begin);
        pass.done = 0;
      }
  }
  [[nodiscard]] double median_ms(std::size_t layer, bool backward) const {
    return median(passes_[layer][backward ? 1 : 0].ms);
  }

 private:
  struct Marks {
    std::unique_ptr<Event> begin;
    std::unique_ptr<Event> end;
  };
  struct Passes {
    std::vector<Marks> marks;  // of each turn of a step
    std::size_t done = 0;      // turns of this step
    std::vector<double> ms;    // of each step
  };
  Passes& at(std::size_t layer, bool backward) { return passes_[layer][backward ? 1 : 0]; }

  Device& device_;
  Stream& stream_;
  std::vector<std::array<Passes, 2>> passes_;  // forward, backward
};

// Random crops, mirrors and labels for this replica's places.
class RandomBatch {
 public:
  RandomBatch(Device& device, Range slice, std::int64_t size, std::int64_t classes,
              std::uint64_t seed)
      : crops_(device.allocate_host(static_cast<std::size_t>(slice.size() * size * size * 3))) {
    const auto images = static_cast<std::size_t>(slice.size());
    auto* const crops = static_cast<std::uint8_t*>(crops_.data());
    const RandomSource source(seed, Purpose::synthetic);
    for (std::size_t i = 0; i < crops_.bytes(); i += 16) {
      const PhiloxBlock words = source.block(0, static_cast<std::uint32_t>(slice.begin),
                                             static_cast<std::uint32_t>(i / 16));
      for (std::size_t j = 0; j < std::min<std::size_t>(16, crops_.bytes() - i); ++j) {
        crops[i + j] = static_cast<std::uint8_t>(words[j / 4] >> (8 * (j % 4)));
      }
    }
    for (std::size_t i = 0; i < images; ++i) {
      const auto place = static_cast<std::uint32_t>(slice.begin) + static_cast<std::uint32_t>(i);
      const PhiloxBlock words = source.block(1, place, 0);
      labels_.push_back(
          static_cast<std::int32_t>(below(words[0], static_cast<std::uint32_t>(classes))));
      CropRecord record;
      record.mirror = static_cast<std::int32_t>(words[1] & 1);
      records_.push_back(record);
    }
  }
  [[nodiscard]] Batch batch() const {
    return {0, static_cast<const std::uint8_t*>(crops_.data()), labels_.data(), records_};
  }

 private:
  Buffer crops_;
  std::vector<std::int32_t> labels_;
  std::vector<CropRecord> records_;
};

std::vector<LayerTime> layer_times(Session& session, const LayerClock& clock) {
  Network& network = session.network();
  std::vector<LayerTime> lines;
  double in = 1e-9 * static_cast<double>(network.input().bytes());
  for (std::size_t i = 0; i < network.layers().size(); ++i) {
    const Layer& layer = *network.layers()[i];
    const double turns = static_cast<std::int64_t>(i) < session.head().begin ? 1 : session.turns();
    LayerTime line;
    line.layer = layer.name();
    line.implementation = layer.implementation();
    line.forward_ms = clock.median_ms(i, false);
    line.backward_ms = clock.median_ms(i, true);
    line.forward_gflop = 2e-9 * turns * static_cast<double>(layer.forward_products());
    line.backward_gflop = 2e-9 * turns * static_cast<double>(layer.backward_products());
    line.direct_gflop =
        2e-9 * turns *
        static_cast<double>(layer.forward_multiply_adds() + layer.backward_multiply_adds());
    const double value_gbyte = 1e-9 * static_cast<double>(size_of(network.working().type));
    const double out = value_gbyte * static_cast<double>(layer.output().count());
    double weights = 0;
    for (const Parameter& p : network.layers()[i]->parameters())
      weights += static_cast<double>(p.local().count());
    line.forward_gbyte = turns * (in + out + value_gbyte * weights);
    line.backward_gbyte =
        turns * (in + out + (i > 0 ? in : 0) +
                 (value_gbyte + 1e-9 * static_cast<double>(sizeof(float))) * weights);
    in = out;
    line.exchange_bytes = layer.exchange_bytes(false) + layer.exchange_bytes(true);
    lines.push_back(line);
  }
  return lines;
}

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
  const RandomBatch random(session.device(), session.slice(), job.model.input, job.model.classes,
                           job.run.seed);
  StepRunner runner(session, job);

  // Two sets of steps: without a clock in each layer for the step's own time, then with it.
  std::int64_t step = 0;
  const auto run = [&](LayerObserver* observer) {
    runner.begin(feed, false, {step++, 0, 1, 0}, observer);
    feed.release();
    feed.upload(random.batch());  // the next step's
    return runner.finish();
  };
  feed.upload(random.batch());
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
  result.layers = layer_times(session, clock);
  std::array<double, 4> slowest{median(steps), median(updates), median(exposed),
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
