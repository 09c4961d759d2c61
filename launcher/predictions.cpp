// Sorts probabilities and names classes.
#include "launcher/predictions.h"

#include <algorithm>
#include <numeric>

namespace convoy {

std::vector<std::int32_t> top_classes(std::span<const float> probabilities, std::size_t count) {
  std::vector<std::int32_t> order(probabilities.size());
  std::iota(order.begin(), order.end(), 0);
  count = std::min(count, order.size());
  const auto p = [&](std::int32_t c) { return probabilities[static_cast<std::size_t>(c)]; };
  std::partial_sort(
      order.begin(), order.begin() + static_cast<std::ptrdiff_t>(count), order.end(),
      [&](std::int32_t a, std::int32_t b) { return p(a) > p(b) || (p(a) == p(b) && a < b); });
  order.resize(count);
  return order;
}

std::string class_text(const ClassInfo& info) {
  return info.words.empty() ? info.name : info.name + " " + info.words;
}

RightLabels::RightLabels(const std::vector<ClassInfo>& classes, const std::filesystem::path& source)
    : labels_(number_classes(classes, source)) {}

std::optional<std::int32_t> RightLabels::of(const std::filesystem::path& file) const {
  const auto found = labels_.find(file.parent_path().filename().string());
  if (found == labels_.end()) return std::nullopt;
  return found->second;
}

nlohmann::ordered_json prediction_json(const Prediction& prediction,
                                       std::optional<std::int32_t> label,
                                       const std::vector<ClassInfo>& classes, bool logits) {
  nlohmann::ordered_json json{{"image", prediction.file.string()}};
  if (!prediction.error.empty()) {
    json["error"] = prediction.error;
    return json;
  }
  const auto info = [&](std::int32_t c) { return classes[static_cast<std::size_t>(c)]; };
  if (label) json["label"] = info(*label).name;
  json["top"] = nlohmann::ordered_json::array();
  for (const std::int32_t c : top_classes(prediction.probabilities)) {
    json["top"].push_back({{"class", info(c).name},
                           {"words", info(c).words},
                           {"probability", prediction.probabilities[static_cast<std::size_t>(c)]}});
  }
  if (logits) json["logits"] = prediction.logits;
  if (!prediction.notes.empty()) json["notes"] = prediction.notes;
  return json;
}

}  // namespace convoy
