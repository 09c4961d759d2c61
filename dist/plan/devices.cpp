// Rates of GPUs: products and copies as measured on such devices in bf16; the share of the peak
// that layers reach is an assumption, as are the links (a node's own, of eight GPUs with a port
// each).
#include "dist/plan/devices.h"

#include "core/error.h"

namespace convoy {

const std::vector<DevicePreset>& device_presets() {
  constexpr double kShare = 0.4;
  static const std::vector<DevicePreset> presets{
      // A core with AVX-512. Minimal filtering makes less than a third of the products that are
      // counted, which a core's peak on registers then does not bound.
      {{"cpu-core", 0.25, 1.0, 10, DType::f32}, Transport::mpi, {1, 40, 1}, {50, 1, 1}, 25},
      {{"h100", 798, kShare, 3000, DType::bf16}, Transport::nccl, {5, 3600, 1}, {10, 3200, 1}, 0},
      {{"h200", 788, kShare, 4300, DType::bf16}, Transport::nccl, {5, 3600, 1}, {10, 3200, 1}, 0}};
  return presets;
}

const DevicePreset& find_device(const std::string& name) {
  std::string names;
  for (const DevicePreset& preset : device_presets()) {
    if (preset.device.name == name) return preset;
    names += (names.empty() ? "" : ", ") + preset.device.name;
  }
  fail(ExitCode::usage, "plan.device is '{}'; the devices that plan knows are {}", name, names);
}

}  // namespace convoy
