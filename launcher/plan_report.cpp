// Tables for the terminal, and the JSON that the page reads.
#include "launcher/plan_report.h"

#include <algorithm>
#include <cmath>
#include <map>

#include <fmt/format.h>

#include "core/error.h"
#include "dist/spread.h"
#include "launcher/layer_json.h"
#include "launcher/table.h"

namespace convoy {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t kWidth = 100;

std::string link_text(const Link& link) {
  return fmt::format("{:g} us + m / {:g} Gbit/s", link.latency_us, link.gbit * link.efficiency);
}

std::string model_text(const PlanReport& report) {
  const PlanInput& input = report.input;
  const ClusterSpec& cluster = input.cluster;
  std::string text = fmt::format(
      "{} node{} of {} rank{}; a message of m bytes takes {} inside a node and {} between nodes "
      "(payload; a node's ranks share its link)",
      cluster.nodes, cluster.nodes == 1 ? "" : "s", cluster.ranks_per_node,
      cluster.ranks_per_node == 1 ? "" : "s", link_text(cluster.intra), link_text(cluster.inter));
  text = wrapped(text, 0, kWidth) + "\n";
  const auto line = [&](const std::string& head, const std::string& what) {
    text += fmt::format("{:<14}", head) + wrapped(what, 14, kWidth) + '\n';
  };
  text += "\nThe model:\n";
  line("step", "= layers + exchanges + what is not hidden of the gradients' sums + rest");
  line("layers",
       "share of channels x (time an image x images + time of the weights), forward and "
       "backward, and the update; " +
           report.source);
  line("exchanges",
       "all-gather and reduce-scatter of activations, each rank with each other one of "
       "its n: (n-1) latency + (n-1) m / rate; nothing hides them");
  line(
      "gradients",
      fmt::format("all-reduce in buckets of {}, algorithm {} ({}); {}",
                  bytes_text(static_cast<std::int64_t>(input.bucket_bytes)), cluster.all_reduce,
                  "slices and ring 2(n-1) latency + 2(n-1)/n m / rate; recursive doubling log2 n "
                  "(latency + m "
                  "/ rate); tree twice that; double tree 2 log2 n latency + 2 m / rate; shared "
                  "memory 2 n m / memory rate",
                  cluster.overlap
                      ? "a bucket starts when backward has finished it, beside the rest of backward"
                      : "after backward: MPI moves large messages only while a rank waits"));
  line("rest", fmt::format("{:.2f} ms a step. Waiting for images is not part of the model.",
                           input.costs.rest_ms));
  return text;
}

std::string prediction_table(const PlanReport& report) {
  TextTable table({{"batch"},
                   {"strategy", Align::left},
                   {"ranks"},
                   {"grid", Align::left},
                   {"images/s"},
                   {"ms a step"},
                   {"layers"},
                   {"exchanges"},
                   {"gradients"},
                   {"of sums"},
                   {"sum by", Align::left},
                   {"payload"},
                   {"on the wire"},
                   {"memory >="}});
  std::int64_t batch = -1;
  const auto best = [&](const Prediction& one) {
    return std::ranges::all_of(report.predictions, [&](const Prediction& other) {
      return other.batch != one.batch || other.step_ms >= one.step_ms;
    });
  };
  for (const Prediction& p : report.predictions) {
    if (batch != -1 && batch != p.batch) table.rule();
    table.row({batch == p.batch ? "" : thousands(p.batch), p.strategy.name + (best(p) ? " *" : ""),
               thousands(p.strategy.grid.ranks()),
               fmt::format("{} x {}", p.strategy.grid.replicas, p.strategy.grid.towers),
               fmt::format("{:.1f}", p.images_per_second()), fmt::format("{:.2f}", p.step_ms),
               fmt::format("{:.2f}", p.compute_ms), fmt::format("{:.2f}", p.exchange_ms),
               fmt::format("{:.2f}", p.gradient_ms), fmt::format("{:.2f}", p.all_reduce_ms),
               p.all_reduce, bytes_text(p.payload_bytes), bytes_text(p.wire_bytes),
               bytes_text(p.memory_bytes)});
    batch = p.batch;
  }
  return table.text() + "* the quickest at this batch; grid: replicas x towers\n";
}

std::string leads_text(const PlanReport& report) {
  std::string text;
  for (const auto& [ranks, leads] : report.leads) {
    std::string sentence = fmt::format("On {} rank{}: ", thousands(ranks), ranks == 1 ? "" : "s");
    for (std::size_t i = 0; i < leads.size(); ++i) {
      sentence += i == 0 ? fmt::format("{} is the quickest from batch {}", leads[i].strategy,
                                       thousands(leads[i].from_batch))
                         : fmt::format(", {} from batch {}", leads[i].strategy,
                                       thousands(leads[i].from_batch));
    }
    text += wrapped(sentence + ".", 0, kWidth) + '\n';
  }
  return text;
}

double median_error(const std::vector<Checked>& checked) {
  std::vector<double> errors;
  for (const Checked& line : checked) errors.push_back(std::abs(line.error()));
  return spread_of(errors).median;
}

// The quickest strategy of each file, measured and predicted.
struct Winners {
  std::string measured;
  std::string predicted;
};
std::map<std::string, Winners> winners(const std::vector<Checked>& checked) {
  std::map<std::string, const Checked*> measured;
  std::map<std::string, const Checked*> predicted;
  for (const Checked& line : checked) {
    const Checked*& m = measured[line.file];
    const Checked*& p = predicted[line.file];
    if (m == nullptr || line.measured_ms < m->measured_ms) m = &line;
    if (p == nullptr || line.predicted.step_ms < p->predicted.step_ms) p = &line;
  }
  std::map<std::string, Winners> all;
  for (const auto& [file, line] : measured)
    all[file] = {line->predicted.strategy.name, predicted[file]->predicted.strategy.name};
  return all;
}

std::string checked_text(const std::vector<Checked>& checked) {
  TextTable table({{"measured in", Align::left},
                   {"batch"},
                   {"strategy", Align::left},
                   {"measured ms"},
                   {"predicted ms"},
                   {"error"}});
  for (const Checked& line : checked) {
    table.row({line.file, thousands(line.predicted.batch), line.predicted.strategy.name,
               fmt::format("{:.1f}", line.measured_ms),
               fmt::format("{:.1f}", line.predicted.step_ms),
               fmt::format("{:+.1f} %", 100 * line.error())});
  }
  std::string text = "\nPredicted against measured\n\n" + table.text() +
                     fmt::format("median error {:.1f} %\n", 100 * median_error(checked));
  for (const auto& [file, of_file] : winners(checked)) {
    text += of_file.measured == of_file.predicted
                ? fmt::format("{}: {} is the quickest, as predicted\n", file, of_file.measured)
                : fmt::format("{}: {} is the quickest, but {} was predicted\n", file,
                              of_file.measured, of_file.predicted);
  }
  return text;
}

Json to_json(const Link& link) {
  return {{"latency_us", link.latency_us}, {"gbit", link.gbit}, {"efficiency", link.efficiency}};
}

Json to_json(const Prediction& p) {
  return {{"strategy", p.strategy.name},
          {"ranks", p.strategy.grid.ranks()},
          {"replicas", p.strategy.grid.replicas},
          {"towers", p.strategy.grid.towers},
          {"batch", p.batch},
          {"images_per_second", p.images_per_second()},
          {"step_ms", p.step_ms},
          {"layers_ms", p.compute_ms},
          {"exchanges_ms", p.exchange_ms},
          {"gradients_ms", p.gradient_ms},
          {"rest_ms", p.rest_ms},
          {"all_reduce_ms", p.all_reduce_ms},
          {"all_reduce", p.all_reduce},
          {"payload_bytes", p.payload_bytes},
          {"wire_bytes", p.wire_bytes},
          {"memory_bytes", p.memory_bytes}};
}

}  // namespace

StrategyMap strategy_map(PlanInput input, const std::vector<std::string>& names,
                         const std::vector<std::int64_t>& batches) {
  constexpr int kOctaves = 4;  // each way
  StrategyMap map;
  map.batches = batches;
  ClusterSpec& cluster = input.cluster;
  const bool between = cluster.nodes > 1;
  const Link described = between ? cluster.inter : cluster.intra;
  for (int octave = -kOctaves; octave <= kOctaves; ++octave) {
    Link link = described;
    link.gbit *= std::exp2(octave);
    (between ? cluster.inter : cluster.intra) = link;
    std::vector<std::string> row;
    for (const std::int64_t batch : batches)
      row.push_back(leads(input, names, cluster.ranks(), batch, batch).front().strategy);
    map.gbit.push_back(link.gbit);
    map.quickest.push_back(std::move(row));
  }
  return map;
}

std::string plan_text(const PlanReport& report) {
  std::string text = model_text(report);
  if (!report.predictions.empty())
    text += '\n' + prediction_table(report) + '\n' + leads_text(report);
  for (const auto& [what, why] : report.refused)
    text += wrapped(fmt::format("{} is left out: {}.", what, why), 0, kWidth) + '\n';
  if (!report.checked.empty()) text += checked_text(report.checked);
  return text;
}

Json plan_json(const PlanReport& report) {
  const ClusterSpec& cluster = report.input.cluster;
  Json json{{"kind", "plan"},
            {"nodes", cluster.nodes},
            {"ranks_per_node", cluster.ranks_per_node},
            {"intra", to_json(cluster.intra)},
            {"inter", to_json(cluster.inter)},
            {"all_reduce", cluster.all_reduce},
            {"overlap", cluster.overlap},
            {"layers_from", report.source},
            {"net", net_to_json(report.input.net)},
            {"model", model_text(report)},
            {"predictions", Json::array()},
            {"leads", Json::array()},
            {"refused", Json::array()},
            {"map",
             {{"gbit", report.map.gbit},
              {"batches", report.map.batches},
              {"quickest", report.map.quickest}}},
            {"checked", Json::array()}};
  for (const Prediction& prediction : report.predictions)
    json["predictions"].push_back(to_json(prediction));
  for (const auto& [ranks, leads] : report.leads) {
    for (const Lead& lead : leads)
      json["leads"].push_back(
          {{"ranks", ranks}, {"from_batch", lead.from_batch}, {"strategy", lead.strategy}});
  }
  for (const auto& [what, why] : report.refused)
    json["refused"].push_back({{"what", what}, {"why", why}});
  for (const Checked& line : report.checked) {
    json["checked"].push_back({{"file", line.file},
                               {"batch", line.predicted.batch},
                               {"strategy", line.predicted.strategy.name},
                               {"measured_ms", line.measured_ms},
                               {"predicted_ms", line.predicted.step_ms},
                               {"error", line.error()}});
  }
  if (!report.checked.empty()) json["median_error"] = median_error(report.checked);
  return json;
}

}  // namespace convoy
