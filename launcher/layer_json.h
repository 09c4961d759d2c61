// Layer times as JSON: what bench and compare write and plan reads.
#pragma once

#include <vector>

#include <nlohmann/json.hpp>

#include "core/net/spec.h"
#include "dist/job.h"

namespace convoy {

[[nodiscard]] nlohmann::ordered_json layers_to_json(const std::vector<LayerTime>& layers);
// Throws nlohmann::json::exception where fields are missing or of another type.
[[nodiscard]] std::vector<LayerTime> layers_from_json(const nlohmann::ordered_json& json);

// What tells nets apart whose times are compared.
[[nodiscard]] nlohmann::ordered_json net_to_json(const NetSpec& net);

}  // namespace convoy
