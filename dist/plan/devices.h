// Devices that `convoy plan` knows by name, with the links that they usually have.
#pragma once

#include <string>
#include <vector>

#include "dist/plan/cluster.h"
#include "dist/plan/layer_costs.h"

namespace convoy {

struct DevicePreset {
  DeviceDescription device;
  Transport transport = Transport::mpi;
  Link intra;  // latency and rate; efficiency is left at 1
  Link inter;
  double node_gbyte_s = 0;
};

[[nodiscard]] const std::vector<DevicePreset>& device_presets();
// Throws Error(usage) for another name.
[[nodiscard]] const DevicePreset& find_device(const std::string& name);

}  // namespace convoy
