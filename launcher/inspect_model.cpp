// `convoy inspect` without a path: the net that the options describe.
#include <algorithm>
#include <utility>
#include <vector>

#include <fmt/ranges.h>

#include "core/error.h"
#include "core/recipe.h"
#include "dist/partition/strategy.h"
#include "dist/partition/traffic.h"
#include "launcher/difference_words.h"
#include "launcher/inspect.h"
#include "launcher/options.h"
#include "launcher/table.h"

namespace convoy {
namespace {

std::string shape_text(const Shape& shape) {
  return fmt::format("{}x{}x{}", shape.h, shape.w, shape.c);
}

std::string count_or_blank(std::int64_t count) { return count == 0 ? "" : thousands(count); }

// "conv3, fc6 and fc7"
std::string enumeration(const std::vector<std::string>& names) {
  std::string text;
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (i > 0) text += i + 1 == names.size() ? " and " : ", ";
    text += names[i];
  }
  return text;
}

// Where activations cross ranks, and which layers with weights need no other rank's.
std::string exchange_sentence(const NetSpec& net, const std::vector<TrafficLine>& lines) {
  std::vector<std::string> readers;
  std::vector<std::string> silent;
  const auto exchanges_at = [&](const std::string& place) {
    return std::any_of(lines.begin(), lines.end(), [&](const TrafficLine& line) {
      return !line.backward && line.place == place;
    });
  };
  for (const LayerSpec& layer : net.layers) {
    if (exchanges_at("before " + layer.name)) {
      readers.push_back(layer.name);
    } else if (layer.parameters() > 0) {
      silent.push_back(layer.name);
    }
  }
  const bool at_logits = exchanges_at("logits");
  return fmt::format("model exchanges activations before {}{}; nothing crosses ranks at {}.\n",
                     enumeration(readers), at_logits ? ", and at the logits" : "",
                     enumeration(silent));
}

void add_strategy(TextTable& table, const std::string& title,
                  const std::vector<TrafficLine>& lines) {
  if (lines.empty()) {
    table.row({title, "nothing"});
    return;
  }
  std::string name = title;
  std::int64_t payload = 0;
  std::int64_t wire = 0;
  for (const TrafficLine& line : lines) {
    table.row({name, line.place, line.collective, line.backward ? "backward" : "forward",
               thousands(line.payload_bytes), thousands(line.wire_bytes)});
    name.clear();
    payload += line.payload_bytes;
    wire += line.wire_bytes;
  }
  if (lines.size() > 1) table.row({"", "sum", "", "", thousands(payload), thousands(wire)});
}

}  // namespace

std::string inspect_layers(const NetSpec& net, std::string_view title) {
  TextTable table({{"layer", Align::left},
                   {"what", Align::left},
                   {"output"},
                   {"parameters"},
                   {"neurons"},
                   {"multiply-adds"}});
  table.row({"input", "", shape_text(net.input)});
  for (const LayerSpec& layer : net.layers) {
    table.row({layer.name, layer.description(), shape_text(layer.out),
               count_or_blank(layer.parameters()), count_or_blank(layer.neurons()),
               count_or_blank(layer.multiply_adds())});
  }
  table.rule();
  table.row({"total", "", "", thousands(net.parameters()), thousands(net.neurons()),
             thousands(net.multiply_adds())});
  return fmt::format("{} with {} tower{}, {} classes; figures for one image\n\n{}", title,
                     net.towers, net.towers == 1 ? "" : "s", net.classes, table.text());
}

std::string inspect_traffic(const NetSpec& net, std::int64_t batch, int ranks, DType activations,
                            std::string_view owt_scheme) {
  TextTable table({{"strategy", Align::left},
                   {"place", Align::left},
                   {"collective", Align::left},
                   {"pass", Align::left},
                   {"payload bytes"},
                   {"wire bytes"}});
  std::string remarks;
  const int towers = static_cast<int>(net.towers);
  const std::vector<std::pair<std::string, int>> cases{{"single", 1},
                                                       {"model", std::max(towers, 2)},
                                                       {"data", ranks},
                                                       {"hybrid", ranks},
                                                       {"owt", ranks}};
  for (const auto& [name, count] : cases) {
    try {
      const Strategy strategy = choose_strategy(name, net, count, batch, owt_scheme);
      const auto lines = predict_traffic(net, strategy, batch, activations);
      add_strategy(table, fmt::format("{} on {}", name, count), lines);
      if (name == "model") remarks += exchange_sentence(net, lines);
    } catch (const Error& error) {
      if (error.code() != ExitCode::usage) throw;
      remarks += fmt::format("{} on {} does not fit: {}.\n", name, count, error.what());
    }
  }
  return fmt::format("Bytes per rank in a training step of {} images\n\n{}\n{}", thousands(batch),
                     table.text(), remarks);
}

std::string inspect_differences(const JobOptions& job) {
  const std::vector<Difference> differences = differences_from_paper(job);
  if (differences.empty()) return {};
  TextTable table({{"option", Align::left}, {"paper", Align::left}, {"here", Align::left}});
  const auto shown = [](const std::string& value) { return value.empty() ? "(empty)" : value; };
  for (const Difference& difference : differences) {
    if (difference.key == "model.net") {  // too long for a table, and told above
      table.row({difference.key, "AlexNet", "the net above"});
      continue;
    }
    table.row({difference.key, shown(difference.there), shown(difference.here)});
  }
  return fmt::format("Differences from the paper (recipe {}: {})\n\n{}\nIn words\n\n{}", job.recipe,
                     find_recipe(job.recipe).source, table.text(),
                     difference_words(job, differences));
}

}  // namespace convoy
