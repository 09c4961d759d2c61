// report.jsonl: every file that packing repaired, converted or left out, one a line.
#pragma once

#include <filesystem>
#include <vector>

#include "io/pack/pack.h"

namespace convoy {

// Written aside, synced and renamed. Throws Error(resource).
void write_report(const std::filesystem::path& output, const std::vector<PackIssue>& issues);

// Throws Error(bad_data) for a report that is not there or has a line that is none.
[[nodiscard]] std::vector<PackIssue> read_report(const std::filesystem::path& output);

}  // namespace convoy
