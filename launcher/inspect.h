// The texts that `convoy inspect` prints.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "core/net/spec.h"
#include "dist/job.h"
#include "io/dataset/dataset.h"
#include "io/run/checkpoint.h"

namespace convoy {

// Layers with shapes, parameters, neurons and multiply-adds of one image; the totals.
[[nodiscard]] std::string inspect_layers(const NetSpec& net, std::string_view title);

// Bytes that a step of `batch` images moves, per rank: single, model on a rank per tower, the other
// strategies on `ranks`. A strategy that does not fit says why.
[[nodiscard]] std::string inspect_traffic(const NetSpec& net, std::int64_t batch, int ranks,
                                          DType activations = DType::f32,
                                          std::string_view owt_scheme = "all");

// What the job has otherwise than the paper; empty where nothing differs.
[[nodiscard]] std::string inspect_differences(const JobOptions& job);

[[nodiscard]] std::string inspect_dataset(const Dataset& dataset);
[[nodiscard]] std::string inspect_checkpoint(const std::filesystem::path& path,
                                             const CheckpointReader& checkpoint);

// Run directories side by side; throws Error(bad_data) for a folder that is none.
[[nodiscard]] std::string inspect_runs(const std::vector<std::filesystem::path>& runs);

// The records of collectives in a run's folder of that name, a line each rank, and which rank has
// not come to what others came to. Throws Error(bad_data) where there is none.
[[nodiscard]] std::string inspect_collectives(const std::filesystem::path& folder);
// Every rank of the run ended without an error, or there are no records.
[[nodiscard]] bool ended_well(const std::filesystem::path& folder);

}  // namespace convoy
