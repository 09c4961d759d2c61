// `convoy bench`: times the training step, layer by layer, on synthetic data.
#include <ostream>

#include <nlohmann/json.hpp>
#include <spdlog/spdlog.h>

#include "launcher/commands.h"
#include "launcher/table.h"

namespace convoy {
namespace {

std::string percent_of(double part, double whole) {
  return whole > 0 ? fmt::format("{:.0f} %", 100 * part / whole) : "";
}

// Time, share of all layers' time, work, and its rate as a share of the peak.
std::vector<std::string> timed_cells(double gflop, double ms, double all_ms, double peak) {
  const bool works = gflop > 0 && ms > 0;
  return {fmt::format("{:.3f}", ms), percent_of(ms, all_ms),
          works ? fmt::format("{:.1f}", gflop) : "",
          works ? percent_of(gflop / (ms / 1000), peak) : ""};
}

LayerTime sum_of(const std::vector<LayerTime>& layers) {
  LayerTime sum{.layer = "sum", .implementation = ""};
  for (const LayerTime& layer : layers) {
    sum.forward_ms += layer.forward_ms;
    sum.backward_ms += layer.backward_ms;
    sum.forward_gflop += layer.forward_gflop;
    sum.backward_gflop += layer.backward_gflop;
    sum.direct_gflop += layer.direct_gflop;
    sum.exchange_bytes += layer.exchange_bytes;
  }
  return sum;
}

std::string layer_table(const BenchResult& result, const LayerTime& sum) {
  TextTable table({{"layer", Align::left},
                   {"forward ms"},
                   {"share"},
                   {"GFLOP"},
                   {"of peak"},
                   {"backward ms"},
                   {"share"},
                   {"GFLOP"},
                   {"of peak"},
                   {"exchanged"},
                   {"implementation", Align::left}});
  const double all_ms = sum.forward_ms + sum.backward_ms;
  const auto add = [&](const LayerTime& layer) {
    std::vector<std::string> cells{layer.layer};
    for (const auto& pass :
         {timed_cells(layer.forward_gflop, layer.forward_ms, all_ms, result.peak_gflops),
          timed_cells(layer.backward_gflop, layer.backward_ms, all_ms, result.peak_gflops)}) {
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
  const std::string reader =
      result.reader_crops_per_second > 0
          ? fmt::format("reader        {:.0f} crops/s by one rank, page cache warm\n",
                        result.reader_crops_per_second)
          : "";
  return fmt::format(
      "{}, strategy {} on {} rank{}; times of rank 0, medians\n\n{}\n"
      "step          {:.1f} ms, slowest rank (update {:.1f} ms, exposed communication {:.1f} ms)\n"
      "speed         {:.1f} images/s\n"
      "peak          {:.1f} GFLOP/s measured on a rank\n"
      "bound         {:.1f} ms, {:.1f} images/s: the {:.1f} GFLOP made at the peak ({:.0f} % of "
      "{:.1f} by direct convolution)\n"
      "memory        {} at most on a rank\n{}",
      result.device, result.strategy, result.ranks, result.ranks == 1 ? "" : "s",
      layer_table(result, sum), result.step_ms, result.update_ms, result.comm_exposed_ms,
      result.images_per_second, result.peak_gflops, bound_ms, 1000 * images / bound_ms, gflop,
      100 * gflop / sum.direct_gflop, sum.direct_gflop, bytes_text(result.peak_memory_bytes),
      reader);
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
                              {"peak_memory_bytes", result.peak_memory_bytes},
                              {"reader_crops_per_second", result.reader_crops_per_second},
                              {"layers", nlohmann::ordered_json::array()}};
  for (const LayerTime& layer : result.layers) {
    json["layers"].push_back({{"layer", layer.layer},
                              {"implementation", layer.implementation},
                              {"forward_ms", layer.forward_ms},
                              {"backward_ms", layer.backward_ms},
                              {"forward_gflop", layer.forward_gflop},
                              {"backward_gflop", layer.backward_gflop},
                              {"direct_gflop", layer.direct_gflop},
                              {"exchange_bytes", layer.exchange_bytes}});
  }
  return json;
}

class BenchCommand : public JobCommand {
 public:
  BenchCommand()
      : JobCommand({.name = "bench",
                    .summary = "times the training step, layer by layer, on synthetic data",
                    .synopsis = "[mpirun -n N] convoy bench [--recipe NAME] [--json] [options]",
                    .details =
                        "Trains on random pixels and labels for a few steps and reports each "
                        "layer's time, its share of the measured multiply-add peak, and the bytes "
                        "it exchanges; with --data.train also the reader alone on that dataset. "
                        "Nothing is written.",
                    .parallel = true}) {
    options_.number("steps", bench_.steps, {.low = 1}, "measured steps");
    options_.number("warmup", bench_.warmup, {.low = 0}, "steps before the measured ones");
    options_.flag("json", json_, "print one JSON object");
  }

  void parse(const std::vector<std::string>& arguments) override {
    JobCommand::parse(arguments);
    bench_.job = job_;
  }

  void run(World* world, std::ostream& out) override {
    const BenchResult result = bench(*world, bench_);
    if (world->rank() != 0) return;
    for (const std::string& warning : result.warnings) spdlog::warn(warning);
    if (json_) {
      out << to_json(result, bench_).dump() << '\n';
    } else {
      out << report(result);
    }
  }

 private:
  BenchOptions bench_;
  bool json_ = false;
};

}  // namespace

std::unique_ptr<Command> make_bench() { return std::make_unique<BenchCommand>(); }

}  // namespace convoy
