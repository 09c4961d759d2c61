// Tables for the terminal, and the JSON that the page and `convoy plan` read.
#include "launcher/compare_report.h"

#include <array>

#include <fmt/format.h>

#include "launcher/compare_verdict.h"
#include "launcher/layer_json.h"
#include "launcher/table.h"

namespace convoy {
namespace {

using Json = nlohmann::ordered_json;

struct Part {
  const char* key;
  const char* title;
  Spread SplitTimes::*field;
};
constexpr std::array<Part, 6> kParts{
    {{"step", "step", &SplitTimes::step},
     {"forward", "forward", &SplitTimes::forward},
     {"backward", "backward", &SplitTimes::backward},
     {"comm_exposed", "waits for ranks", &SplitTimes::comm_exposed},
     {"data_wait", "waits for data", &SplitTimes::data_wait},
     {"update", "update", &SplitTimes::update}}};

Json to_json(const Spread& spread) {
  return {{"min", spread.min}, {"median", spread.median}, {"max", spread.max}};
}

std::int64_t whole(double value) { return static_cast<std::int64_t>(value); }

Json to_json(const StrategyResult& result) {
  Json rate = to_json(result.images_per_second);
  rate["rounds"] = result.round_rates;
  Json ms;
  for (const Part& part : kParts) ms[part.key] = to_json(result.ms.*(part.field));
  Json traffic = Json::array();
  for (const LayerTraffic& line : result.traffic) {
    traffic.push_back({{"layer", line.layer},
                       {"activation_bytes", line.activation_bytes},
                       {"gradient_bytes", line.gradient_bytes}});
  }
  return {{"strategy", result.strategy.name},
          {"ranks", result.ranks()},
          {"replicas", result.strategy.grid.replicas},
          {"towers", result.strategy.grid.towers},
          {"images_per_second", rate},
          {"ms", ms},
          {"payload_bytes", to_json(result.payload_bytes)},
          {"predicted_bytes", result.predicted_bytes},
          {"gradient_bytes", result.gradient_bytes},
          {"memory_bytes", to_json(result.memory_bytes)},
          {"same_bits", result.same_bits},
          {"loss_difference", result.loss_difference},
          {"losses", result.losses},
          {"traffic", traffic},
          {"layers", layers_to_json(result.layers)}};
}

std::string summary_table(const CompareResult& result) {
  TextTable table({{"strategy", Align::left},
                   {"ranks"},
                   {"images/s"},
                   {"least"},
                   {"most"},
                   {"ms a step"},
                   {"exchanged a step"},
                   {"predicted"},
                   {"memory a rank"},
                   {"losses", Align::left}});
  for (const StrategyResult& s : result.strategies) {
    const Spread& rate = s.images_per_second;
    table.row({s.strategy.name, thousands(s.ranks()), fmt::format("{:.1f}", rate.median),
               fmt::format("{:.1f}", rate.min), fmt::format("{:.1f}", rate.max),
               fmt::format("{:.1f}", 1000 * static_cast<double>(result.batch) / rate.median),
               bytes_text(whole(s.payload_bytes.max)), bytes_text(s.predicted_bytes),
               bytes_text(whole(s.memory_bytes.max)),
               agreement_text(s, result.strategies.front())});
  }
  return table.text();
}

std::string range_text(const Spread& spread, int ranks) {
  if (ranks == 1) return fmt::format("{:.1f}", spread.median);
  return fmt::format("{:.1f} / {:.1f} / {:.1f}", spread.min, spread.median, spread.max);
}

std::string split_table(const CompareResult& result) {
  std::vector<Column> columns{{"strategy", Align::left}};
  for (const Part& part : kParts) columns.push_back({part.title});
  TextTable table(columns);
  for (const StrategyResult& s : result.strategies) {
    std::vector<std::string> cells{s.strategy.name};
    for (const Part& part : kParts) cells.push_back(range_text(s.ms.*(part.field), s.ranks()));
    table.row(cells);
  }
  return table.text();
}

std::string heading(const CompareResult& result, const CompareOptions& options) {
  std::string text = fmt::format(
      "{} on {} rank{} of {} host{}; batch {}, {} rounds of {} + {} steps on {}; nets {}\n",
      result.device, result.ranks, result.ranks == 1 ? "" : "s", result.hosts,
      result.hosts == 1 ? "" : "s", result.batch, options.rounds, options.warmup, options.steps,
      result.random_data ? "random pixels" : options.job.data.train.string(),
      result.held_at_once ? "held in memory together" : "made anew for each turn");
  return text;
}

}  // namespace

std::string compare_text(const CompareResult& result, const CompareOptions& options) {
  std::string text = heading(result, options) + '\n' + summary_table(result) +
                     "\nmilliseconds of a step: least / median / most over ranks\n\n" +
                     split_table(result);
  if (!result.waits_are_apart)
    text += "On GPUs the time of exchanges is part of forward, backward and update.\n";
  text += '\n';
  for (const std::string& sentence : verdict(result)) text += wrapped(sentence, 0, 100) + '\n';
  for (const RefusedStrategy& refused : result.refused)
    text += wrapped(fmt::format("{} left out: {}.", refused.name, refused.why), 0, 100) + '\n';
  return text;
}

Json compare_json(const CompareResult& result, const CompareOptions& options) {
  Json json{{"kind", "compare"},
            {"device", result.device},
            {"conv", result.conv},
            {"ranks", result.ranks},
            {"hosts", result.hosts},
            {"batch", result.batch},
            {"rounds", options.rounds},
            {"steps", options.steps},
            {"warmup", options.warmup},
            {"held_at_once", result.held_at_once},
            {"waits_are_apart", result.waits_are_apart},
            {"data", result.random_data ? "random" : options.job.data.train.string()},
            {"recipe", options.job.recipe},
            {"seed", options.job.run.seed},
            {"net", net_to_json(result.net)},
            {"verdict", verdict(result)},
            {"strategies", Json::array()},
            {"refused", Json::array()}};
  for (const StrategyResult& strategy : result.strategies)
    json["strategies"].push_back(to_json(strategy));
  for (const RefusedStrategy& refused : result.refused)
    json["refused"].push_back({{"strategy", refused.name}, {"why", refused.why}});
  return json;
}

}  // namespace convoy
