// Learning rates per tensor, and updates over any part of the contiguous parameters.
#include "core/solver.h"

#include <algorithm>
#include <array>
#include <span>

#include "core/error.h"
#include "core/ops/operations.h"

namespace convoy {
namespace {

constexpr std::size_t kSegments = 16;  // updated in one call: AlexNet has so many tensors

Schedule schedule_or(const std::string& text, const SolverOptions& options) {
  return {text.empty() ? options.schedule : text, options.plateau_factor};
}

}  // namespace

Solver::Solver(Device& device, const Network& network, const SolverOptions& options)
    : options_(options),
      schedule_(schedule_or("", options)),
      bias_schedule_(schedule_or(options.bias_schedule, options)),
      conv1_schedule_(schedule_or(options.conv1_schedule, options)),
      op_(device.operations().update()),
      values_(network.values().f32()),
      gradients_(network.gradients().f32()),
      working_(network.working()) {
  if (options.kind != "sgd" && options.kind != "adam") {
    fail(ExitCode::usage, "solver.kind is '{}'; use sgd or adam", options.kind);
  }
  const std::string& first_layer = network.parameters().back()->layer;  // they begin with the last
  for (const Parameter* parameter : network.parameters()) {
    const std::int64_t first = parameter->value.f32() - values_;
    parts_.push_back({{first, first + parameter->value.count()},
                      parameter->is_bias(),
                      parameter->layer == first_layer,
                      0});
  }
  const std::size_t bytes = network.values().bytes();
  first_moment_ = device.allocate(bytes);
  if (options.kind == "adam") second_moment_ = device.allocate(bytes);
}

// conv1's bias follows the biases' schedule until conv1 is frozen (released-2012 run notes).
double Solver::factor(const Part& part, const Progression& at) const {
  if (!part.bias) return (part.first_layer ? conv1_schedule_ : schedule_).factor(at);
  if (part.first_layer && conv1_schedule_.factor(at) == 0) return 0;
  return bias_schedule_.factor(at) * options_.bias_lr_factor;
}

void Solver::begin_step(const Progression& at) {
  step_ = at.step + 1;
  learning_rate_ = options_.lr * schedule_.factor(at);
  for (Part& part : parts_) part.lr = static_cast<float>(options_.lr * factor(part, at));
}

void Solver::update(const OpContext& op, Range gradients) {
  std::array<UpdateSegment, kSegments> segments;
  std::size_t count = 0;
  const auto run = [&] {
    const std::span<const UpdateSegment> some{segments.data(), count};
    if (options_.kind == "adam") {
      op_->adam(op, some, AdamSpec{}, step_);
    } else {
      op_->sgd(op, some, static_cast<float>(options_.momentum));
    }
    count = 0;
  };
  auto* first = static_cast<float*>(first_moment_.data());
  auto* second = static_cast<float*>(second_moment_.data());
  for (const Part& part : parts_) {
    const std::int64_t begin = std::max(part.floats.begin, gradients.begin);
    const std::int64_t end = std::min(part.floats.end, gradients.end);
    if (begin >= end) continue;
    const double decay = options_.weight_decay * (part.bias ? options_.bias_decay_factor : 1);
    if (count == segments.size()) run();
    const bool copies = working_.type != DType::f32;
    segments[count++] = {values_ + begin,
                         gradients_ + begin,
                         first + begin,
                         second == nullptr ? nullptr : second + begin,
                         end - begin,
                         part.lr,
                         static_cast<float>(decay),
                         copies ? working_.part(begin, {}).data : nullptr};
  }
  run();
}

std::vector<Solver::Moment> Solver::moments() const {
  auto* const first = static_cast<float*>(first_moment_.data());
  if (options_.kind != "adam") return {{"velocity", first}};
  return {{"moment1", first}, {"moment2", static_cast<float*>(second_moment_.data())}};
}

bool Solver::needs_validation() const {
  return schedule_.needs_validation() || bias_schedule_.needs_validation() ||
         conv1_schedule_.needs_validation();
}

}  // namespace convoy
