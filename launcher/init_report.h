// What `convoy inspect --init-stats` prints.
#pragma once

#include <string>

#include "dist/measure/init_stats.h"

namespace convoy {

// A table of layers for each moment, and one with a row for each change.
[[nodiscard]] std::string init_report(const InitStats& stats, const JobOptions& job);

}  // namespace convoy
