// One choice turned over at a time.
#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "dist/measure/init_stats.h"

namespace convoy {
namespace {

constexpr double kUsualStd = 0.01;
constexpr double kWiderStd = 0.03;

InitChange input_scale(JobOptions job) {
  PreprocessOptions& p = job.preprocess;
  p.unit_scale = !p.unit_scale;
  if (p.unit_scale) return {"input of deviation 1 instead of 0..255", job};
  p.mean = "centre";
  return {"input 0..255 less the mean instead of deviation 1", job};
}

InitChange middle_weights(JobOptions job) {
  const auto middle = std::span(job.model.weight_std).subspan<2, 3>();
  const bool wide = std::ranges::all_of(middle, [](double std) { return std == kWiderStd; });
  std::ranges::fill(middle, wide ? kUsualStd : kWiderStd);
  return {fmt::format("weights of {} in conv3 to conv5", middle[0]), job};
}

InitChange biases(JobOptions job) {
  const bool ones = std::ranges::find(job.model.bias, 1.0) != job.model.bias.end();
  std::ranges::replace(job.model.bias, ones ? 1 : 0.1, ones ? 0.1 : 1);
  return {ones ? "biases of 0.1 instead of 1" : "biases of 1 instead of 0.1", job};
}

InitChange fc_weights(JobOptions job) {
  job.model.fc_uniform = !job.model.fc_uniform;
  const auto fc = std::span(job.model.weight_std).last<3>();
  return {job.model.fc_uniform
              ? std::string("fc6 to fc8 uniform within 1/sqrt(inputs)")
              : fmt::format("fc6 to fc8 normal, of {}, {} and {}", fc[0], fc[1], fc[2]),
          job};
}

InitChange optimiser(JobOptions job) {
  SolverOptions& s = job.solver;
  if (s.kind == "sgd") {
    s.kind = "adam";
    s.lr = 1e-4;
    return {"Adam at 0.0001", job};
  }
  const SolverOptions usual;
  s.kind = "sgd";
  s.lr = usual.lr;
  s.momentum = usual.momentum;
  s.weight_decay = usual.weight_decay;
  return {fmt::format("sgd at {}", s.lr), job};
}

InitChange augmentation(JobOptions job) {
  PreprocessOptions& p = job.preprocess;
  const bool on = p.random_crop || p.mirror || p.colour_noise > 0;
  p.random_crop = p.mirror = !on;
  p.colour_noise = on ? 0 : PreprocessOptions{}.colour_noise;
  return {on ? "no augmentation" : "random crops, mirrors and colour noise", job};
}

}  // namespace

std::vector<InitChange> init_changes(const JobOptions& job) {
  std::vector<InitChange> changes{input_scale(job)};
  if (job.model.net.empty()) {
    for (const auto change : {middle_weights, biases, fc_weights}) changes.push_back(change(job));
  }
  changes.push_back(optimiser(job));
  if (!job.data.train.empty()) changes.push_back(augmentation(job));
  return changes;
}

}  // namespace convoy
