// What `convoy bench` says about the reader of a training set.
#pragma once

#include <string>

#include <nlohmann/json.hpp>

#include "dist/job.h"

namespace convoy {

// Tables of the reader and its parts, and a sentence that names what holds it up. `needed`: crops a
// second that a rank trains on; 0 where that was not measured.
[[nodiscard]] std::string loader_report(const LoaderResult& loader, double needed);
[[nodiscard]] nlohmann::ordered_json loader_json(const LoaderResult& loader);

}  // namespace convoy
