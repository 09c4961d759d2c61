// What layers cost on one device: fitted to measured times, or from a description of the device.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "core/net/spec.h"
#include "dist/job.h"
#include "dist/partition/strategy.h"

namespace convoy {

// Of a whole layer, milliseconds. A rank with a share s of its output channels and n images takes
// s (image n + fixed); fixed is what its weights cost however many images there are.
struct PassCost {
  double image_ms = 0;
  double fixed_ms = 0;

  [[nodiscard]] double ms(double share, std::int64_t images) const {
    return share * (image_ms * static_cast<double>(images) + fixed_ms);
  }
};
struct LayerCost {
  PassCost forward;
  PassCost backward;     // without the update
  double update_ms = 0;  // of all its parameters
};

struct DeviceCosts {
  std::map<std::string, LayerCost> layers;  // layers that cost nothing may be missing
  double rest_ms = 0;                       // of every step besides
};

// One strategy's measured step, by bench or compare.
struct Observation {
  Strategy strategy;
  std::int64_t batch = 0;
  std::vector<LayerTime> layers;
  double step_ms = 0;
  double forward_ms = 0;   // without waiting; 0: not known
  double backward_ms = 0;  // the same
  double update_ms = 0;    // 0: part of backward
  double comm_exposed_ms = 0;
};

// Fits layer by layer, by least squares of relative errors and no cost below 0. Layers' times are
// scaled so that together they are the step's own, which had no clock in each layer. Where all
// observations have the same number of images, the fixed part is taken from the weights' bytes and
// `memory_gbyte_s`. At least one observation is needed.
[[nodiscard]] DeviceCosts fit_costs(const NetSpec& net,
                                    const std::vector<Observation>& observations,
                                    double memory_gbyte_s);

struct DeviceDescription {
  std::string name;
  double tflops = 0;         // peak rate of multiply-adds, 10^12 operations/s
  double share_of_peak = 0;  // that layers reach, counted in operations of direct convolution
  double memory_gbyte_s = 0;
  DType activations = DType::f32;
};

// The larger of the time for products and that for moving each value once; weights' traffic on top.
[[nodiscard]] DeviceCosts describe_costs(const NetSpec& net, const DeviceDescription& device);

}  // namespace convoy
