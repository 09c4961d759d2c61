// A net's answers for people and programs: the likeliest classes, as a table, JSON lines, a sheet.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "dist/infer/predict.h"
#include "io/dataset/class_list.h"
#include "io/dataset/dataset.h"

namespace convoy {

inline constexpr std::size_t top_count = 5;

// The `count` classes of the largest probabilities, largest first; of equal ones the lower class
// number first, as training and evaluation count.
[[nodiscard]] std::vector<std::int32_t> top_classes(std::span<const float> probabilities,
                                                    std::size_t count = top_count);

// "n01440764 tench, Tinca tinca"
[[nodiscard]] std::string class_text(const ClassInfo& info);

// The right class of an image file, where its folder has the name of one.
class RightLabels {
 public:
  // `source` names the list in errors. Throws Error(bad_data) where two classes have one name.
  RightLabels(const std::vector<ClassInfo>& classes, const std::filesystem::path& source);
  [[nodiscard]] std::optional<std::int32_t> of(const std::filesystem::path& file) const;

 private:
  LabelOf labels_;
};

// One line: {"image":..,"label":..,"top":[{"class":..,"words":..,"probability":..},..]}, with
// "logits" where asked for, "notes" where the file was repaired, or {"image":..,"error":..}.
[[nodiscard]] nlohmann::ordered_json prediction_json(const Prediction& prediction,
                                                     std::optional<std::int32_t> label,
                                                     const std::vector<ClassInfo>& classes,
                                                     bool logits);

}  // namespace convoy
