// Reads the JSON files of bench and compare for `convoy plan`.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "dist/plan/layer_costs.h"

namespace convoy {

// What a file holds.
struct MeasuredFile {
  std::filesystem::path path;
  std::string device;
  int ranks = 1;
  int hosts = 1;
  std::int64_t batch = 0;
  bool on_cpu = true;
  double memory_gbyte_s = 0;  // 0: not measured
  std::vector<Observation> strategies;
};

// Throws Error(bad_data) where the file cannot be read, is of another kind, or of another net.
[[nodiscard]] MeasuredFile read_measured(const std::filesystem::path& path, const NetSpec& net);

}  // namespace convoy
