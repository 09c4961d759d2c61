// Traces of ranks as Chrome's trace event format.
#pragma once

#include <vector>

#include <nlohmann/json.hpp>

#include "io/run/trace_file.h"

namespace convoy {

// A process a rank, with a track of phases and layers, one of what the host does beside a device
// that may run behind it, and collectives, which may overlap, as asynchronous events. Times in
// microseconds from the first event. Clocks of hosts are shifted so that their ranks left the first
// meeting together; those of one host are one clock.
[[nodiscard]] nlohmann::ordered_json chrome_trace(const std::vector<RankTrace>& traces);

}  // namespace convoy
