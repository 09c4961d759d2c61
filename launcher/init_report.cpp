// Figures with three digits: their size is what matters.
#include "launcher/init_report.h"

#include <algorithm>

#include <fmt/format.h>

#include "launcher/table.h"

namespace convoy {
namespace {

std::string figure(double value) { return fmt::format("{:.3g}", value); }

std::string layers_table(const InitMoment& moment) {
  TextTable table({{"layer", Align::left},
                   {"output mean"},
                   {"deviation"},
                   {"between images"},
                   {"zeros"},
                   {"gradient mean"},
                   {"deviation"},
                   {"zeros"},
                   {"weights' deviation"},
                   {"their gradient's"}});
  for (const LayerSpread& layer : moment.layers) {
    const ValueSpread& y = layer.output;
    const ValueSpread& dy = layer.gradient;
    const bool logits = &layer == &moment.layers.back();
    table.row({logits ? layer.layer + " (logits)" : layer.layer, figure(y.mean),
               figure(y.deviation), figure(y.between_images), percent(y.zeros), figure(dy.mean),
               figure(dy.deviation), percent(dy.zeros),
               layer.weighs ? figure(layer.weights.deviation) : "",
               layer.weighs ? figure(layer.weight_gradient.deviation) : ""});
  }
  return table.text();
}

std::string effects_table(const InitStats& stats) {
  const bool trained = stats.steps > 0;
  std::vector<Column> columns{
      {"change", Align::left}, {"logits' deviation"}, {"between images"}, {"loss"}};
  if (trained) {
    columns.push_back({"later: deviation"});
    columns.push_back({"between images"});
    columns.push_back({"loss"});
  }
  TextTable table(columns);
  for (const InitEffect& effect : stats.effects) {
    std::vector<std::string> cells{effect.change, figure(effect.logits.deviation),
                                   figure(effect.logits.between_images),
                                   fmt::format("{:.4f}", effect.loss)};
    if (trained && effect.diverged_at > 0) {
      cells.insert(cells.end(), {"", "", fmt::format("not finite at {}", effect.diverged_at)});
    } else if (trained) {
      cells.insert(cells.end(), {figure(effect.later_logits.deviation),
                                 figure(effect.later_logits.between_images),
                                 fmt::format("{:.4f}", effect.later_loss)});
    }
    table.row(cells);
  }
  return table.text();
}

}  // namespace

std::string init_report(const InitStats& stats, const JobOptions& job) {
  std::string text = fmt::format(
      "Recipe {}, batches of {} from {}, seed {}\n"
      "outputs as in a test, without dropout: their deviation, and what of it differs from image "
      "to image;\nlosses and gradients (of the mean loss, by a layer's output) as in training\n",
      job.recipe, job.solver.batch,
      job.data.train.empty() ? "random pixels" : job.data.train.string(), job.run.seed);
  for (const InitMoment& moment : stats.moments) {
    text += fmt::format(
        "\n{}, loss {:.4f}\n\n{}",
        moment.step == 0 ? "At initialisation" : fmt::format("After {} steps", moment.step),
        moment.loss, layers_table(moment));
  }
  text += "\nEach change alone, at initialisation";
  if (stats.steps > 0) {
    text += fmt::format(" and after {} steps (later; loss: mean of the last {})", stats.steps,
                        std::min<std::int64_t>(stats.steps, 10));
  }
  return text + "\n\n" + effects_table(stats);
}

}  // namespace convoy
