// Lets strategies take turns on the same ranks, and gathers what each rank measured.
#include "dist/measure/compare.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <fstream>
#include <memory>
#include <optional>
#include <set>

#include <unistd.h>

#include "core/error.h"
#include "dist/comm/agreement.h"
#include "dist/measure/contestant.h"
#include "dist/partition/memory_estimate.h"
#include "dist/partition/step_parts.h"
#include "dist/train/dataset_options.h"
#include "dist/train/training_data.h"
#include "io/run/progress.h"

namespace convoy {
namespace {

constexpr std::int64_t kClassesWithoutData = 1000;
// What operations and libraries take beside the tensors, and what the host should keep.
constexpr double kOverhead = 1.25;
constexpr double kShareOfFree = 0.8;

// Of this process; 0 where the system does not tell.
std::int64_t resident_bytes() {
  std::ifstream statm("/proc/self/statm");
  std::int64_t pages = 0;
  std::int64_t resident = 0;
  statm >> pages >> resident;
  return resident * sysconf(_SC_PAGESIZE);
}

std::vector<LayerTraffic> traffic_by_layer(const NetSpec& net, const Strategy& strategy,
                                           std::int64_t batch, DType activations) {
  std::vector<LayerTraffic> lines;
  const auto line_of = [&](const std::string& layer) -> LayerTraffic& {
    if (lines.empty() || lines.back().layer != layer) lines.push_back({layer});
    return lines.back();
  };
  for (const StepPart& part : step_parts(net, strategy, batch, activations)) {
    if (part.spec == nullptr) {
      line_of(part.layer).activation_bytes += part.forward_bytes + part.backward_bytes;
    } else if (part.copied && part.parameters > 0) {
      line_of(part.layer).gradient_bytes =
          part.parameters * static_cast<std::int64_t>(sizeof(float));
    }
  }
  return lines;
}

// What a rank says of its part of a strategy's run.
constexpr std::size_t kFields = 8;
using RankFigures = std::array<double, kFields>;

struct Entry {
  StrategyResult result;
  int ranks = 1;
  bool mine = true;  // this rank takes part
  std::unique_ptr<Contestant> contestant;
  std::vector<StepTimes> steps;
  std::int64_t payload_bytes = 0;
  std::int64_t memory_bytes = 0;
};

double median_of(const std::vector<StepTimes>& steps, double StepTimes::*field) {
  std::vector<double> values;
  for (const StepTimes& step : steps) values.push_back(step.*field);
  return spread_of(values).median;
}

class Comparison {
 public:
  Comparison(World& world, const CompareOptions& options)
      : world_(world), options_(options), job_(options.job), everyone_(world.split(0)) {
    open_data();
    net_ = build_net(job_.model);
    choose();
    if (world_.size() > 1) alone_ = world_.part(world_.rank() == 0 ? 0 : 1);
    look_at_device();
  }

  CompareResult run();

 private:
  void open_data();
  void choose();
  void look_at_device();
  [[nodiscard]] bool fits_at_once(const Device& device) const;
  void make(Entry& entry);
  void settle_conv(Entry& entry);
  void turn(Entry& entry, std::int64_t round);
  void gather(Entry& entry);

  World& world_;
  const CompareOptions& options_;
  JobOptions job_;
  std::unique_ptr<Communicator> everyone_;
  std::optional<Dataset> dataset_;
  NetSpec net_;
  std::unique_ptr<World> alone_;  // for `single`, where there are several ranks
  std::vector<Entry> entries_;    // after the worlds that they run in
  bool conv_settled_ = false;
  DType activations_ = DType::f32;
  CompareResult result_;
};

void Comparison::open_data() {
  if (job_.data.train.empty()) {
    if (job_.model.classes == 0) job_.model.classes = kClassesWithoutData;
    return;
  }
  dataset_.emplace(open_dataset(job_.data.train, job_.data));
  job_ = with_classes(job_, *dataset_);
  require_one_dataset(*everyone_, *dataset_);
}

void Comparison::choose() {
  const bool all = options_.strategies.empty();
  const std::vector<std::string>& names = all ? strategy_names() : options_.strategies;
  std::set<std::string> seen;
  for (const std::string& name : names) {
    if (!seen.insert(name).second)
      fail(ExitCode::usage, "compare.strategies names {} twice; name each strategy once", name);
    if (name == "auto") {
      fail(ExitCode::usage,
           "compare.strategies names auto, which is one of the others; name the strategies, or "
           "leave the option out for all that fit");
    }
    const int ranks = name == "single" ? 1 : world_.size();
    try {
      Entry entry;
      entry.result.strategy = choose_strategy(name, net_, ranks, job_.solver.batch);
      entry.ranks = ranks;
      entry.mine = ranks > 1 || world_.rank() == 0;
      entries_.push_back(std::move(entry));
    } catch (const Error& error) {
      if (!all || error.code() != ExitCode::usage) throw;
      result_.refused.push_back({name, error.what()});
    }
  }
}

void Comparison::look_at_device() {
  const auto device = make_device(job_.device, {world_.local_rank(), world_.local_ranks()});
  result_.device = device->description();
  result_.waits_are_apart = device->host_addressable();
  activations_ = device->activation_type();
  std::array<double, 1> does_not_fit{fits_at_once(*device) ? 0.0 : 1.0};
  everyone_->maximum("compare", does_not_fit);
  result_.held_at_once =
      options_.hold == "all" || (options_.hold == "auto" && does_not_fit[0] == 0);
}

bool Comparison::fits_at_once(const Device& device) const {
  double needed = 0;
  for (const Entry& entry : entries_) {
    if (entry.mine)
      needed += kOverhead * static_cast<double>(estimate_memory(net_, entry.result.strategy,
                                                                job_.solver.batch, activations_));
  }
  const double sharers = device.host_addressable() ? world_.local_ranks() : 1;
  return needed <= kShareOfFree * static_cast<double>(device.free_memory_bytes()) / sharers;
}

void Comparison::make(Entry& entry) {
  if (entry.mine) {
    JobOptions job = job_;
    job.dist.strategy = entry.result.strategy.name;
    const std::int64_t steps = options_.warmup + options_.steps;
    const std::int64_t before = resident_bytes();
    entry.contestant = std::make_unique<Contestant>(
        entry.ranks < world_.size() ? *alone_ : world_, job, dataset_ ? &*dataset_ : nullptr,
        result_.held_at_once ? options_.rounds * steps : steps);
    if (entry.memory_bytes == 0) entry.memory_bytes = resident_bytes() - before;
    for (const std::string& warning : entry.contestant->session().warnings()) {
      if (std::ranges::find(result_.warnings, warning) == result_.warnings.end())
        result_.warnings.push_back(warning);
    }
  }
  if (!conv_settled_) settle_conv(entry);
}

// The first strategy's choice is everybody's, also of ranks that had no part in it.
void Comparison::settle_conv(Entry& entry) {
  std::string text;
  if (entry.contestant) text = entry.contestant->session().conv_choice().text();
  std::uint64_t size = text.size();
  everyone_->broadcast("compare", &size, sizeof size, 0);
  text.resize(size);
  everyone_->broadcast("compare", text.data(), size, 0);
  if (!text.empty()) job_.device.conv = text;
  result_.conv = text;
  conv_settled_ = true;
}

void Comparison::turn(Entry& entry, std::int64_t round) {
  if (!entry.contestant && !result_.held_at_once) make(entry);
  everyone_->barrier("compare");
  std::array<double, 1> wall{0};
  if (entry.mine) {
    const std::int64_t before = resident_bytes();
    const Contestant::Turn turn = entry.contestant->turn(options_.warmup, options_.steps);
    if (round == 0) {
      Device& device = entry.contestant->session().device();
      entry.memory_bytes += resident_bytes() - before;
      if (!device.host_addressable()) entry.memory_bytes = device.peak_memory_bytes();
    }
    entry.steps.insert(entry.steps.end(), turn.steps.begin(), turn.steps.end());
    entry.payload_bytes = turn.payload_bytes;
    if (result_.held_at_once || round == 0)
      entry.result.losses.insert(entry.result.losses.end(), turn.losses.begin(), turn.losses.end());
    wall[0] = turn.wall_ms;
  }
  everyone_->rest("turn");
  everyone_->maximum("compare", wall);
  entry.result.round_rates.push_back(
      1000 * static_cast<double>(job_.solver.batch * options_.steps) / wall[0]);
  if (round + 1 == options_.rounds) {
    if (entry.mine) entry.result.layers = entry.contestant->observed_layers(options_.steps);
    everyone_->rest("layers");
  }
  if (!result_.held_at_once) entry.contestant.reset();
}

void Comparison::gather(Entry& entry) {
  const auto ranks = static_cast<std::size_t>(entry.ranks);
  std::vector<double> all(ranks * kFields);
  if (entry.mine) {
    const RankFigures mine{median_of(entry.steps, &StepTimes::step),
                           median_of(entry.steps, &StepTimes::forward),
                           median_of(entry.steps, &StepTimes::backward),
                           median_of(entry.steps, &StepTimes::comm_exposed),
                           median_of(entry.steps, &StepTimes::data_wait),
                           median_of(entry.steps, &StepTimes::update),
                           static_cast<double>(entry.payload_bytes),
                           static_cast<double>(entry.memory_bytes)};
    std::ranges::copy(mine, all.begin() + static_cast<std::ptrdiff_t>(
                                              static_cast<std::size_t>(world_.rank()) * kFields));
  }
  everyone_->sum("compare", all);
  const auto over_ranks = [&](std::size_t field) {
    std::vector<double> values;
    for (std::size_t rank = 0; rank < ranks; ++rank) values.push_back(all[rank * kFields + field]);
    return spread_of(values);
  };
  StrategyResult& result = entry.result;
  result.ms = {over_ranks(0), over_ranks(1), over_ranks(2),
               over_ranks(3), over_ranks(4), over_ranks(5)};
  result.payload_bytes = over_ranks(6);
  result.memory_bytes = over_ranks(7);
  result.images_per_second = spread_of(result.round_rates);
  const std::int64_t batch = job_.solver.batch;
  for (const TrafficLine& line : predict_traffic(net_, result.strategy, batch, activations_)) {
    result.predicted_bytes += line.payload_bytes;
    if (line.collective == "all-reduce") result.gradient_bytes += line.payload_bytes;
  }
  result.traffic = traffic_by_layer(net_, result.strategy, batch, activations_);
}

void compare_losses(StrategyResult& result, const StrategyResult& reference) {
  for (std::size_t i = 0; i < result.losses.size(); ++i) {
    const double loss = result.losses[i];
    const double there = reference.losses[i];
    result.same_bits = result.same_bits && loss == there;
    if (loss != there)
      result.loss_difference =
          std::max(result.loss_difference, std::abs(loss - there) / std::abs(there));
  }
}

CompareResult Comparison::run() {
  if (result_.held_at_once) {
    for (Entry& entry : entries_) make(entry);
  }
  const auto count = static_cast<std::int64_t>(entries_.size());
  Progress progress("compare", "turns", options_.rounds * count, world_.rank() != 0);
  for (std::int64_t round = 0; round < options_.rounds; ++round) {
    for (std::int64_t i = 0; i < count; ++i) {
      const std::int64_t place = round % 2 == 0 ? i : count - 1 - i;
      Entry& entry = entries_[static_cast<std::size_t>(place)];
      turn(entry, round);
      progress.update(round * count + i + 1, entry.result.strategy.name);
    }
  }
  std::array<double, 1> hosts{1.0 / world_.local_ranks()};
  everyone_->sum("compare", hosts);
  result_.hosts = static_cast<int>(std::lround(hosts[0]));
  result_.net = net_;
  result_.ranks = world_.size();
  result_.batch = job_.solver.batch;
  result_.random_data = !dataset_;
  for (Entry& entry : entries_) {
    gather(entry);
    entry.contestant.reset();
    result_.strategies.push_back(std::move(entry.result));
  }
  if (world_.rank() == 0) {
    for (StrategyResult& result : result_.strategies)
      compare_losses(result, result_.strategies.front());
  }
  return result_;
}

}  // namespace

CompareResult compare(World& world, const CompareOptions& options) {
  return Comparison(world, options).run();
}

}  // namespace convoy
