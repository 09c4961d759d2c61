// Least squares with two unknowns, and a roofline.
#include "dist/plan/layer_costs.h"

#include <algorithm>
#include <cmath>

#include "core/error.h"
#include "dist/partition/step_parts.h"
#include "dist/spread.h"

namespace convoy {
namespace {

constexpr double kMostFixed = 0.9;  // of a pass, where the weights' share is only estimated
constexpr double kLeastBackward =
    0.1;  // of backward with the update, where the update is taken off

struct Sample {
  double share = 1;
  std::int64_t images = 0;
  double ms = 0;
};

// ms / share = image images + fixed, each sample weighed by 1 / its own size.
PassCost fit(const std::vector<Sample>& samples, double fixed_guess_ms) {
  double sxx = 0;
  double sx = 0;
  double s1 = 0;
  double sxy = 0;
  double sy = 0;
  for (const Sample& sample : samples) {
    const double y = sample.ms / sample.share;
    if (!(y > 0)) continue;
    const double w = 1 / (y * y);
    const auto x = static_cast<double>(sample.images);
    sxx += w * x * x;
    sx += w * x;
    s1 += w;
    sxy += w * x * y;
    sy += w * y;
  }
  if (s1 == 0) return {};
  const double determinant = sxx * s1 - sx * sx;
  if (determinant <= 1e-9 * sxx * s1) {
    const double mean_x = sx / s1;
    const double mean_y = sy / s1;
    const double fixed = std::min(fixed_guess_ms, kMostFixed * mean_y);
    return {(mean_y - fixed) / mean_x, fixed};
  }
  const double image = (sxy * s1 - sx * sy) / determinant;
  const double fixed = (sxx * sy - sx * sxy) / determinant;
  if (image < 0) return {0, sy / s1};
  if (fixed < 0) return {sxy / sxx, 0};
  return {image, fixed};
}

bool is_exchange(const LayerTime& layer) { return layer.layer.starts_with("exchange"); }

// "norm1+pool1" is counted as norm1.
std::string first_name(const std::string& name) { return name.substr(0, name.find('+')); }

struct Scale {
  double forward = 1;
  double backward = 1;
};

Scale scale_of(const Observation& observation) {
  double forward = 0;
  double backward = 0;
  for (const LayerTime& layer : observation.layers) {
    if (is_exchange(layer)) continue;
    forward += layer.forward_ms;
    backward += layer.backward_ms;
  }
  if (observation.forward_ms > 0 && observation.backward_ms > 0)
    return {observation.forward_ms / forward, observation.backward_ms / backward};
  const double both = (observation.step_ms - observation.update_ms - observation.comm_exposed_ms) /
                      (forward + backward);
  return {both, both};
}

double parameters_of(const std::vector<StepPart>& parts) {
  double sum = 0;
  for (const StepPart& part : parts) sum += static_cast<double>(part.parameters);
  return sum;
}

}  // namespace

DeviceCosts fit_costs(const NetSpec& net, const std::vector<Observation>& observations,
                      double memory_gbyte_s) {
  std::vector<double> update_per_parameter;
  std::vector<double> rests;
  for (const Observation& seen : observations) {
    if (seen.update_ms > 0)
      update_per_parameter.push_back(seen.update_ms /
                                     parameters_of(step_parts(net, seen.strategy, seen.batch)));
    if (seen.forward_ms > 0)
      rests.push_back(std::max(0.0, seen.step_ms - seen.forward_ms - seen.backward_ms -
                                        seen.update_ms - seen.comm_exposed_ms));
  }
  const double update_ms = spread_of(update_per_parameter).median;

  struct Samples {
    std::vector<Sample> forward;
    std::vector<Sample> backward;
  };
  std::map<std::string, Samples> samples;
  for (const Observation& seen : observations) {
    const Scale scale = scale_of(seen);
    std::map<std::string, StepPart> parts;
    for (StepPart& part : step_parts(net, seen.strategy, seen.batch))
      if (part.spec != nullptr) parts[part.layer] = part;
    for (const LayerTime& layer : seen.layers) {
      if (is_exchange(layer)) continue;
      const auto found = parts.find(first_name(layer.layer));
      if (found == parts.end())
        fail(ExitCode::bad_data, "the measured layer {} is not one of the net's", layer.layer);
      const StepPart& part = found->second;
      double backward = layer.backward_ms * scale.backward;
      if (seen.update_ms == 0)
        backward = std::max(kLeastBackward * backward,
                            backward - update_ms * static_cast<double>(part.parameters));
      Samples& of_layer = samples[part.layer];
      of_layer.forward.push_back({part.share, part.images, layer.forward_ms * scale.forward});
      of_layer.backward.push_back({part.share, part.images, backward});
    }
  }

  DeviceCosts costs;
  costs.rest_ms = spread_of(rests).median;
  for (const LayerSpec& layer : net.layers) {
    const auto found = samples.find(layer.name);
    if (found == samples.end()) continue;
    const auto parameters = static_cast<double>(layer.parameters());
    const double read_ms = parameters * sizeof(float) / (memory_gbyte_s * 1e6);
    LayerCost& cost = costs.layers[layer.name];
    cost.forward = fit(found->second.forward, read_ms);
    cost.backward = fit(found->second.backward, 2 * read_ms);  // reads weights, writes gradients
    cost.update_ms = update_ms * parameters;
  }
  return costs;
}

DeviceCosts describe_costs(const NetSpec& net, const DeviceDescription& device) {
  const double flop_per_ms = device.tflops * device.share_of_peak * 1e9;
  const double bytes_per_ms = device.memory_gbyte_s * 1e6;
  const auto value = static_cast<double>(size_of(device.activations));
  // Gradient, value and momentum are read, the last two written, and a working copy if there is
  // one.
  const double update_bytes = 5 * sizeof(float) + (device.activations == DType::f32 ? 0 : value);
  DeviceCosts costs;
  for (const LayerSpec& layer : net.layers) {
    const double flop = 2 * static_cast<double>(layer.multiply_adds());
    const auto in = static_cast<double>(layer.in.count());
    const auto out = static_cast<double>(layer.out.count());
    const auto parameters = static_cast<double>(layer.parameters());
    const bool first = &layer == &net.layers.front();
    LayerCost& cost = costs.layers[layer.name];
    cost.forward.image_ms = std::max(flop / flop_per_ms, (in + out) * value / bytes_per_ms);
    cost.forward.fixed_ms = parameters * value / bytes_per_ms;
    // The weights' gradient, and the input's where there is a layer below.
    const double passes = first ? 1 : 2;
    cost.backward.image_ms =
        std::max(passes * flop / flop_per_ms, (passes * in + out) * value / bytes_per_ms);
    cost.backward.fixed_ms = parameters * (value + sizeof(float)) / bytes_per_ms;
    cost.update_ms = parameters * update_bytes / bytes_per_ms;
  }
  return costs;
}

}  // namespace convoy
