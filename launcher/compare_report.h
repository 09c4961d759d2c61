// A comparison's figures as text and as JSON.
#pragma once

#include <string>

#include <nlohmann/json.hpp>

#include "dist/measure/compare.h"

namespace convoy {

[[nodiscard]] std::string compare_text(const CompareResult& result, const CompareOptions& options);
// Fields: README, "Comparing strategies".
[[nodiscard]] nlohmann::ordered_json compare_json(const CompareResult& result,
                                                  const CompareOptions& options);

}  // namespace convoy
