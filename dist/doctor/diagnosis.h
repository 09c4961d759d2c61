// Findings from facts: pure functions, so that clusters can be tried that are not there.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "dist/doctor/disk.h"
#include "dist/doctor/doctor.h"
#include "dist/doctor/links.h"
#include "dist/doctor/rank_report.h"

namespace convoy {

// The program's file is one and the same, and libraries are those it was built with, everywhere.
[[nodiscard]] Finding judge_program(const std::vector<RankReport>& ranks);
[[nodiscard]] std::vector<Finding> judge_libraries(const std::vector<RankReport>& ranks);
// Ranks and cores of each host, and what each rank computes on. GPUs that are left idle, and cores
// that ranks must share, are faults.
[[nodiscard]] std::vector<Finding> judge_placement(const std::vector<RankReport>& ranks);
[[nodiscard]] Finding judge_clocks(const std::vector<RankReport>& ranks);
// A pair that is much slower than the others is a fault. `gradient_bytes`: what data-parallel
// training adds up in a step.
[[nodiscard]] std::vector<Finding> judge_links(const std::vector<RankReport>& ranks,
                                               const std::vector<LinkTimes>& links,
                                               std::int64_t gradient_bytes);
// `key` is data.train or data.val.
[[nodiscard]] Finding judge_dataset(const std::vector<RankReport>& ranks, const std::string& key,
                                    DatasetFacts RankReport::*dataset);
// A checkpoint of `bytes`, of which `files` lie there at once; 0: ever more. `patience`: seconds
// between a scheduler's SIGTERM and SIGKILL.
[[nodiscard]] std::vector<Finding> judge_disk(const DiskFacts& disk, double bytes,
                                              std::int64_t files, std::optional<double> patience);

}  // namespace convoy
