// `convoy bench`: times the training step, layer by layer, on synthetic data.
#include <ostream>

#include <nlohmann/json.hpp>
#include <spdlog/spdlog.h>

#include "io/files/durable.h"
#include "launcher/commands.h"
#include "launcher/layer_json.h"
#include "launcher/loader_report.h"
#include "launcher/table.h"

namespace convoy {
namespace {

std::string percent_of(double part, double whole) {
  return whole > 0 ? fmt::format("{:.0f} %", 100 * part / whole) : "";
}

// Time, share of all layers' time, work, its rate as a share of the peak, and the share of the
// copy rate that moving the pass's tensors once would need.
std::vector<std::string> timed_cells(double gflop, double gbyte, double ms, double all_ms,
                                     const BenchResult& result) {
  const bool works = gflop > 0 && ms > 0;
  std::vector<std::string> cells{fmt::format("{:.3f}", ms), percent_of(ms, all_ms),
                                 works ? fmt::format("{:.1f}", gflop) : "",
                                 works ? percent_of(gflop / (ms / 1000), result.peak_gflops) : ""};
  if (result.copy_gbytes > 0)
    cells.push_back(ms > 0 ? percent_of(gbyte / (ms / 1000), result.copy_gbytes) : "");
  return cells;
}

LayerTime sum_of(const std::vector<LayerTime>& layers) {
  LayerTime sum{.layer = "sum", .implementation = ""};
  for (const LayerTime& layer : layers) {
    sum.forward_ms += layer.forward_ms;
    sum.backward_ms += layer.backward_ms;
    sum.forward_gflop += layer.forward_gflop;
    sum.backward_gflop += layer.backward_gflop;
    sum.direct_gflop += layer.direct_gflop;
    sum.forward_gbyte += layer.forward_gbyte;
    sum.backward_gbyte += layer.backward_gbyte;
    sum.exchange_bytes += layer.exchange_bytes;
  }
  return sum;
}

std::string layer_table(const BenchResult& result, const LayerTime& sum) {
  const bool copies = result.copy_gbytes > 0;
  std::vector<Column> columns{{"layer", Align::left}};
  for (const char* pass : {"forward ms", "backward ms"}) {
    for (const char* head : {pass, "share", "GFLOP", "of peak"}) columns.push_back({head});
    if (copies) columns.push_back({"of copy"});
  }
  columns.push_back({"exchanged"});
  columns.push_back({"implementation", Align::left});
  TextTable table(columns);
  const double all_ms = sum.forward_ms + sum.backward_ms;
  const auto add = [&](const LayerTime& layer) {
    std::vector<std::string> cells{layer.layer};
    for (const auto& pass :
         {timed_cells(layer.forward_gflop, layer.forward_gbyte, layer.forward_ms, all_ms, result),
          timed_cells(layer.backward_gflop, layer.backward_gbyte, layer.backward_ms, all_ms,
                      result)}) {
      cells.insert(cells.end(), pass.begin(), pass.end());
    }
    cells.push_back(layer.exchange_bytes > 0 ? bytes_text(layer.exchange_bytes) : "");
    cells.push_back(layer.implementation);
    table.row(cells);
  };
  for (const LayerTime& layer : result.layers) add(layer);
  table.rule();
  add(sum);
  return table.text();
}

std::string report(const BenchResult& result) {
  const LayerTime sum = sum_of(result.layers);
  const double gflop = sum.forward_gflop + sum.backward_gflop;
  const double bound_ms = 1000 * gflop / result.peak_gflops;
  const double images = result.images_per_second * result.step_ms / 1000;
  const std::string loader =
      result.loader ? '\n' + loader_report(*result.loader, result.rank_images_per_second) : "";
  const std::string copy =
      result.copy_gbytes > 0
          ? fmt::format(", and {:.1f} GB/s read and written by a copy,", result.copy_gbytes)
          : "";
  return fmt::format(
      "{}, strategy {} on {} rank{}; times of rank 0, medians\n\n{}\n"
      "step          {:.1f} ms, slowest rank (update {:.1f} ms, exposed communication {:.1f} ms)\n"
      "speed         {:.1f} images/s\n"
      "peak          {:.1f} GFLOP/s{} measured on a rank\n"
      "bound         {:.1f} ms, {:.1f} images/s: the {:.1f} GFLOP made at the peak ({:.0f} % of "
      "{:.1f} by direct convolution)\n"
      "memory        {} at most on a rank\n{}",
      result.device, result.strategy, result.ranks, result.ranks == 1 ? "" : "s",
      layer_table(result, sum), result.step_ms, result.update_ms, result.comm_exposed_ms,
      result.images_per_second, result.peak_gflops, copy, bound_ms, 1000 * images / bound_ms, gflop,
      100 * gflop / sum.direct_gflop, sum.direct_gflop, bytes_text(result.peak_memory_bytes),
      loader);
}

nlohmann::ordered_json to_json(const BenchResult& result, const BenchOptions& options) {
  nlohmann::ordered_json json{{"kind", "bench"},
                              {"device", result.device},
                              {"strategy", result.strategy},
                              {"ranks", result.ranks},
                              {"batch", options.job.solver.batch},
                              {"steps", options.steps},
                              {"step_ms", result.step_ms},
                              {"update_ms", result.update_ms},
                              {"comm_exposed_ms", result.comm_exposed_ms},
                              {"images_per_second", result.images_per_second},
                              {"peak_gflops", result.peak_gflops},
                              {"copy_gbytes", result.copy_gbytes},
                              {"peak_memory_bytes", result.peak_memory_bytes},
                              {"net", net_to_json(result.net)},
                              {"layers", layers_to_json(result.layers)}};
  if (result.loader) json["loader"] = loader_json(*result.loader);
  return json;
}

class BenchCommand : public JobCommand {
 public:
  BenchCommand()
      : JobCommand(
            {.name = "bench",
             .summary = "times the training step, layer by layer, on synthetic data",
             .synopsis =
                 "[mpirun -n N] convoy bench [--recipe NAME] [--loader] [--json FILE] [options]",
             .details = "Trains on random pixels and labels for a few steps and reports each "
                        "layer's time, its share of the measured multiply-add peak, and the bytes "
                        "it exchanges; with --data.train also the reader of that dataset, part by "
                        "part, and what holds it up. Nothing else is written than the file of "
                        "--json.",
             .parallel = true}) {
    options_.number("steps", bench_.steps, {.low = 1}, "measured steps");
    options_.number("warmup", bench_.warmup, {.low = 0}, "steps before the measured ones");
    options_.flag("loader", loader_only_, "only the reader of data.train, without the net");
    options_.path("json", json_, "FILE",
                  "writes the figures as one JSON object; -: on standard output, and no table");
  }

  void parse(const std::vector<std::string>& arguments) override {
    JobCommand::parse(arguments);
    bench_.job = job_;
    if (loader_only_) require(job_.data.train, "data.train");
  }

  void run(World* world, std::ostream& out) override {
    if (to_file() && world->rank() == 0) require_output("json");
    if (loader_only_) {
      const LoaderResult loader = bench_loader(*world, bench_.job);
      if (world->rank() == 0) print(loader_json(loader), loader_report(loader, 0), out);
      return;
    }
    const BenchResult result = bench(*world, bench_);
    if (world->rank() != 0) return;
    for (const std::string& warning : result.warnings) spdlog::warn(warning);
    print(to_json(result, bench_), report(result), out);
  }

 private:
  [[nodiscard]] bool to_file() const { return !json_.empty() && json_ != "-"; }
  void print(const nlohmann::ordered_json& json, const std::string& table,
             std::ostream& out) const {
    const std::string line = json.dump() + '\n';
    out << (json_ == "-" ? line : table);
    if (to_file()) write_durably(json_, line);
  }

  BenchOptions bench_;
  bool loader_only_ = false;
  std::filesystem::path json_;
};

}  // namespace

std::unique_ptr<Command> make_bench() { return std::make_unique<BenchCommand>(); }

}  // namespace convoy
