// Runs' metrics as the data of a page.
#pragma once

#include <filesystem>
#include <vector>

#include <nlohmann/json.hpp>

namespace convoy {

// {"runs":[{"name":..,"strategy":..,"batch":..,"step":[..],"minutes":[..],"loss":[..],..,
// "ms":{"data_wait":[..],..},"eval":{"step":[..],..}},..]}: a column a metric, numbers with six
// digits, null where a number was not finite. `minutes` are those spent in training steps. A run
// has its folder's name, or its path as given where several folders have that name. Throws what
// read_metrics throws.
[[nodiscard]] nlohmann::ordered_json curves_json(const std::vector<std::filesystem::path>& runs);

}  // namespace convoy
