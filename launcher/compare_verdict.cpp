// Compares medians, and says so where the spreads overlap.
#include "launcher/compare_verdict.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "launcher/table.h"

namespace convoy {
namespace {

// How a step grows with the batch.
struct Growth {
  double image_ms = 0;     // for each image
  double constant_ms = 0;  // whatever the batch
};

double step_ms(const StrategyResult& result, std::int64_t batch) {
  return 1000 * static_cast<double>(batch) / result.images_per_second.median;
}

double gradient_share(const StrategyResult& result) {
  if (result.predicted_bytes == 0) return 0;
  return static_cast<double>(result.gradient_bytes) / static_cast<double>(result.predicted_bytes);
}

Growth growth(const StrategyResult& result, std::int64_t batch) {
  const double constant = result.ms.comm_exposed.median * gradient_share(result);
  return {(step_ms(result, batch) - constant) / static_cast<double>(batch), constant};
}

std::string what_crosses(const StrategyResult& result) {
  if (result.gradient_bytes == 0) return "activations";
  if (result.gradient_bytes == result.predicted_bytes) return "gradients";
  return "activations and gradients";
}

// "model computes 530 ms a step and waits 98 ms for 31.3 MB of activations"
std::string split_text(const StrategyResult& result, bool waits_are_apart) {
  const SplitTimes& ms = result.ms;
  const double computes = ms.forward.median + ms.backward.median + ms.update.median;
  const std::string& name = result.strategy.name;
  std::string text;
  if (result.predicted_bytes == 0) {
    text = fmt::format("{} computes {:.1f} ms a step and waits for nobody", name, computes);
  } else if (waits_are_apart) {
    text = fmt::format("{} computes {:.1f} ms a step and waits {:.1f} ms for {} of {}", name,
                       computes, ms.comm_exposed.median, bytes_text(result.predicted_bytes),
                       what_crosses(result));
  } else {
    text = fmt::format("{} takes {:.1f} ms a step, in which it exchanges {} of {}", name,
                       ms.step.median, bytes_text(result.predicted_bytes), what_crosses(result));
  }
  if (ms.data_wait.median > 0.02 * ms.step.median)
    text += fmt::format(", and {:.1f} ms for images", ms.data_wait.median);
  return text;
}

std::string level_text(const StrategyResult& winner, const StrategyResult& second,
                       std::int64_t batch) {
  const std::string& name = second.strategy.name;
  const std::optional<double> level = level_batch(winner, second, batch);
  if (!level) return fmt::format("By these figures {} draws level at no batch size.", name);
  return fmt::format(
      "By these figures {} would draw level at a batch near {}, if computing and activations grow "
      "with the batch and gradients do not.",
      name, thousands(std::llround(*level)));
}

}  // namespace

std::optional<double> level_batch(const StrategyResult& a, const StrategyResult& b,
                                  std::int64_t batch) {
  const Growth of_a = growth(a, batch);
  const Growth of_b = growth(b, batch);
  const double level = (of_b.constant_ms - of_a.constant_ms) / (of_a.image_ms - of_b.image_ms);
  if (!std::isfinite(level) || level < 1) return std::nullopt;
  return level;
}

std::vector<std::string> verdict(const CompareResult& result) {
  std::vector<const StrategyResult*> order;
  for (const StrategyResult& strategy : result.strategies) order.push_back(&strategy);
  std::ranges::stable_sort(order, [](const StrategyResult* a, const StrategyResult* b) {
    return a->images_per_second.median > b->images_per_second.median;
  });
  if (order.empty()) return {};
  const StrategyResult& winner = *order.front();
  if (order.size() == 1) {
    return {fmt::format("{} is alone here: {}.", winner.strategy.name,
                        split_text(winner, result.waits_are_apart))};
  }
  const StrategyResult& second = *order[1];
  const double lead = winner.images_per_second.median / second.images_per_second.median;
  const bool overlap = winner.images_per_second.min <= second.images_per_second.max;
  const std::string figures =
      fmt::format("{:.1f} against {:.1f} images/s", winner.images_per_second.median,
                  second.images_per_second.median);
  const std::string why = fmt::format("{}; {}", split_text(winner, result.waits_are_apart),
                                      split_text(second, result.waits_are_apart));
  std::vector<std::string> sentences;
  if (overlap) {
    sentences.push_back(fmt::format(
        "{} is {:.2f} times as fast as {} in the median ({}), but their rounds overlap, so this "
        "may be chance: {}.",
        winner.strategy.name, lead, second.strategy.name, figures, why));
  } else {
    sentences.push_back(fmt::format("{} wins, {:.2f} times as fast as {} ({}): {}.",
                                    winner.strategy.name, lead, second.strategy.name, figures,
                                    why));
  }
  if (result.waits_are_apart && winner.ranks() == second.ranks())
    sentences.push_back(level_text(winner, second, result.batch));
  return sentences;
}

std::string agreement_text(const StrategyResult& result, const StrategyResult& reference) {
  if (&result == &reference) return "reference";
  const std::string& name = reference.strategy.name;
  return result.same_bits ? fmt::format("the bits of {}", name)
                          : fmt::format("within {:.1e} of {}", result.loss_difference, name);
}

}  // namespace convoy
