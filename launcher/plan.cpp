// `convoy plan`: step times on a cluster that is described, not present.
#include <algorithm>
#include <ostream>
#include <set>

#include "core/error.h"
#include "dist/plan/collectives.h"
#include "dist/plan/devices.h"
#include "io/files/durable.h"
#include "launcher/commands.h"
#include "launcher/html_page.h"
#include "launcher/plan_report.h"

namespace convoy {
namespace {

// What stands for a value that the device's description gives.
constexpr double kUsual = 0;

class PlanCommand : public JobCommand {
 public:
  PlanCommand()
      : JobCommand(
            {.name = "plan",
             .summary = "predicts step times per strategy for a cluster that is described",
             .synopsis = "convoy plan --cluster.nodes N --cluster.gpus-per-node N (--measured "
                         "FILE,... | --plan.device NAME) [options]",
             .details =
                 "Prints its model and, for each batch and strategy, the predicted speed, what a "
                 "step's time goes to, bytes and memory, and which strategy is the quickest from "
                 "which batch on. Layers' times come from files of convoy bench --json and convoy "
                 "compare --json (several batches or strategies tell the weights' share from the "
                 "images'), or from a device's description."}) {
    const Bounds<double> usual{.low = 0};
    const Bounds<int> count{.low = 1, .high = 1 << 20};
    options_.path("describe", describe_, "FILE",
                  "INI file with any of the options of the sections cluster and plan; the command "
                  "line wins over it");
    options_.text("measured", measured_, "FILE,FILE,...", "paths", anything,
                  "files of bench or compare with the layers' times");
    options_.text("against", against_, "FILE,FILE,...", "paths", anything,
                  "files of compare that were measured on such a cluster: prints errors");
    options_.path("json", json_, "FILE", "writes the figures as one JSON object");
    options_.path("html", html_, "FILE", "writes a page with plots that needs no other file");
    described_.number("cluster.nodes", cluster_.nodes, count, "nodes of the cluster");
    described_.number("cluster.gpus-per-node", cluster_.ranks_per_node, count,
                      "devices of a node, one rank each; where ranks compute on CPUs, ranks");
    described_.text("plan.batches", batches_, "N,N,...", "whole numbers above 0", is_counts,
                    "global batches, images");
    described_.text("plan.ranks", ranks_, "N,N,...", "whole numbers above 0, or empty",
                    is_counts_or_empty, "numbers of ranks to predict; empty: all of the cluster");
    described_.text("plan.strategies", strategies_, "NAME,NAME,...", "names of strategies",
                    anything, "strategies to predict; empty: all");
    described_.text("plan.device", device_, "NAME", "a name", anything,
                    "device whose links, and without --measured whose rates, are taken: cpu-core, "
                    "h100 or h200");
    described_.number("plan.matrix-tflops", tflops_, usual,
                      "peak of the device, 10^12 operations/s; 0: as the device has");
    described_.number(
        "plan.share-of-peak", share_, Bounds<double>{.low = 0, .high = 10},
        "that layers reach, in operations of direct convolution; 0: as the device has");
    described_.number("plan.memory-gbyte-s", memory_, usual,
                      "memory rate of the device, 10^9 bytes/s; 0: as the device has");
    described_.number("plan.intra-latency-us", cluster_.intra.latency_us, usual,
                      "latency inside a node, microseconds; 0: as the device has");
    described_.number("plan.intra-gbit", cluster_.intra.gbit, usual,
                      "rate between two ranks of a node, 10^9 bits/s; 0: as the device has");
    described_.number("plan.inter-latency-us", cluster_.inter.latency_us, usual,
                      "latency between nodes, microseconds; 0: as the device has");
    described_.number("plan.inter-gbit", cluster_.inter.gbit, usual,
                      "rate of a node's link to the others, each way, 10^9 bits/s; 0: as the "
                      "device has");
    described_.number("plan.wire-efficiency", cluster_.inter.efficiency,
                      Bounds<double>{.low = 0, .high = 1, .low_open = true},
                      "payload per byte between nodes: what headers leave of the rate");
    described_.number("plan.node-gbyte-s", cluster_.node_gbyte_s, usual,
                      "memory rate of a node, 10^9 bytes/s, for sums in shared memory; 0: as the "
                      "device has");
    described_.choice("plan.transport", transport_, {"auto", "mpi", "nccl"},
                      "what carries the exchanges; auto: NCCL between GPUs, else MPI");
    described_.choice("plan.all-reduce", cluster_.all_reduce, all_reduce_names(),
                      "algorithm of the gradients' sums; auto: what the transport comes to");
    described_.choice("plan.overlap", overlap_, {"auto", "on", "off"},
                      "gradients travel while backward computes; auto: over NCCL");
    options_.add(described_);
  }

  void parse(const std::vector<std::string>& arguments) override {
    const CommandLine line = read(arguments);
    // The description's values first, so that the command line's win.
    for (const Assignment& a : line.assignments)
      if (a.key == "describe") describe_ = a.value;
    if (!describe_.empty()) {
      const Origin file = file_origin(describe_.string());
      assign(described_, parse_ini(read_text_file(describe_), described_, file), file);
    }
    resolve(line);
    complete();
  }

  void run(World*, std::ostream& out) override {
    std::vector<std::filesystem::path> measured;
    for (const std::string& files : {measured_, against_}) {
      for (const std::string& file : split(files, ',')) measured.emplace_back(file);
    }
    require_output("json", measured);
    require_output("html", measured);
    const PlanReport report = make_report();
    out << plan_text(report);
    const nlohmann::ordered_json json = plan_json(report);
    if (!json_.empty()) write_durably(json_, json.dump(1) + '\n');
    if (!html_.empty()) write_durably(html_, html_page("A cluster planned", "plan", json));
  }

 private:
  static bool anything(const std::string&) { return true; }
  static bool is_counts(const std::string& text) {
    return std::ranges::all_of(split(text, ','), [](const std::string& part) {
      std::int64_t value = 0;
      return parse_value(part, value) && value > 0 && value <= 1 << 24;
    });
  }
  static bool is_counts_or_empty(const std::string& text) {
    return text.empty() || is_counts(text);
  }
  static std::vector<std::int64_t> counts(const std::string& text) {
    std::set<std::int64_t> values;
    for (const std::string& part : split(text, ',')) {
      std::int64_t value = 0;
      if (parse_value(part, value)) values.insert(value);
    }
    return {values.begin(), values.end()};
  }

  void complete();
  void add_costs(PlanReport& report) const;
  [[nodiscard]] PlanReport make_report() const;
  void predict_all(PlanReport& report) const;
  void check(PlanReport& report) const;

  OptionTable described_;
  std::filesystem::path describe_;
  std::filesystem::path json_;
  std::filesystem::path html_;
  std::string measured_;
  std::string against_;
  ClusterSpec cluster_{.intra = {kUsual, kUsual, 1}, .inter = {kUsual, kUsual, 0.94}};
  std::string batches_ = "128,256,512,1024";
  std::string ranks_;
  std::string strategies_;
  std::string device_ = "cpu-core";
  std::string transport_ = "auto";
  std::string overlap_ = "auto";
  double tflops_ = kUsual;
  double share_ = kUsual;
  double memory_ = kUsual;
};

// Fills in what the device usually has, and refuses what makes no sense.
void PlanCommand::complete() {
  const DevicePreset& preset = find_device(device_);
  const auto usual = [](double& value, double instead) {
    if (value == kUsual) value = instead;
  };
  usual(tflops_, preset.device.tflops);
  usual(share_, preset.device.share_of_peak);
  usual(memory_, preset.device.memory_gbyte_s);
  usual(cluster_.intra.latency_us, preset.intra.latency_us);
  usual(cluster_.intra.gbit, preset.intra.gbit);
  usual(cluster_.inter.latency_us, preset.inter.latency_us);
  usual(cluster_.inter.gbit, preset.inter.gbit);
  usual(cluster_.node_gbyte_s, preset.node_gbyte_s);
  cluster_.transport = preset.transport;
  if (transport_ != "auto")
    cluster_.transport = transport_ == "nccl" ? Transport::nccl : Transport::mpi;
  cluster_.overlap = overlap_ == "auto" ? cluster_.transport == Transport::nccl : overlap_ == "on";
  require_sensible(cluster_);
  if (job_.model.classes == 0) job_.model.classes = 1000;
  if (strategies_.empty()) return;
  const auto& known = strategy_names();
  for (const std::string& name : split(strategies_, ',')) {
    if (std::ranges::find(known, name) == known.end())
      fail(ExitCode::usage, "plan.strategies names '{}'; the strategies are {}", name,
           fmt::join(known, ", "));
  }
}

void PlanCommand::add_costs(PlanReport& report) const {
  PlanInput& input = report.input;
  if (measured_.empty()) {
    const DeviceDescription device{device_, tflops_, share_, memory_,
                                   find_device(device_).device.activations};
    report.source = fmt::format(
        "from the description of {}: {:g} TFLOP/s, of which layers reach {:g}, and {:g} GB/s",
        device.name, device.tflops, device.share_of_peak, device.memory_gbyte_s);
    input.activations = device.activations;
    input.costs = describe_costs(input.net, device);
    return;
  }
  std::vector<Observation> alone;
  std::vector<Observation> together;
  double memory = memory_;
  std::string device;
  for (const std::string& path : split(measured_, ',')) {
    const MeasuredFile file = read_measured(path, input.net);
    for (const Observation& seen : file.strategies)
      (seen.strategy.grid.ranks() == 1 ? alone : together).push_back(seen);
    if (file.memory_gbyte_s > 0) memory = file.memory_gbyte_s;
    device = file.device;
  }
  const std::size_t steps = alone.size() + together.size();
  report.source = fmt::format("fitted to {} measured step{} on {} ({})", steps,
                              steps == 1 ? "" : "s", device, measured_);
  input.costs = fit_costs(input.net, together.empty() ? alone : together, memory);
  if (!alone.empty()) input.costs_alone = fit_costs(input.net, alone, memory);
}

void PlanCommand::predict_all(PlanReport& report) const {
  std::vector<std::int64_t> ranks{cluster_.ranks()};
  if (!ranks_.empty()) ranks = counts(ranks_);
  if (ranks.back() > cluster_.ranks())
    fail(ExitCode::usage, "plan.ranks asks for {} ranks, but {} nodes of {} hold {}", ranks.back(),
         cluster_.nodes, cluster_.ranks_per_node, cluster_.ranks());
  std::set<std::string> refused;
  const std::vector<std::int64_t> batches = counts(batches_);
  for (const std::int64_t batch : batches) {
    std::set<std::pair<std::string, int>> done;
    for (const std::int64_t count : ranks) {
      for (const std::string& name : report.names) {
        try {
          const Strategy strategy =
              fit_strategy(name, report.input.net, static_cast<int>(count), batch);
          if (done.insert({name, strategy.grid.ranks()}).second)
            report.predictions.push_back(predict(report.input, strategy, batch));
        } catch (const Error& error) {
          if (error.code() != ExitCode::usage) throw;
          if (refused.insert(error.what()).second)
            report.refused.emplace_back(fmt::format("{} on {} at batch {}", name, count, batch),
                                        error.what());
        }
      }
    }
  }
  for (const std::int64_t count : ranks)
    report.leads.emplace_back(static_cast<int>(count),
                              leads(report.input, report.names, static_cast<int>(count),
                                    batches.front(), batches.back()));
  report.map = strategy_map(report.input, report.names, batches);
}

void PlanCommand::check(PlanReport& report) const {
  for (const std::string& path : split(against_, ',')) {
    const MeasuredFile file = read_measured(path, report.input.net);
    if (file.ranks != cluster_.ranks())
      fail(ExitCode::usage,
           "{} was measured on {} ranks, but the described cluster has {}; describe the cluster "
           "that was measured",
           path, file.ranks, cluster_.ranks());
    for (const Observation& seen : file.strategies) {
      report.checked.push_back(
          {path, predict(report.input, seen.strategy, seen.batch), seen.step_ms});
    }
  }
}

PlanReport PlanCommand::make_report() const {
  PlanReport report;
  report.input.net = build_net(job_.model);
  report.input.cluster = cluster_;
  report.input.bucket_bytes = 1e6 * job_.dist.bucket_mb;
  add_costs(report);
  report.names = strategies_.empty() ? strategy_names() : split(strategies_, ',');
  predict_all(report);
  if (!against_.empty()) check(report);
  return report;
}

}  // namespace

std::unique_ptr<Command> make_plan() { return std::make_unique<PlanCommand>(); }

}  // namespace convoy
