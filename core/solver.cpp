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

UpdateSegment Solver::segment(const Part& part, std::int64_t begin, std::int64_t count) const {
  UpdateSegment s;
  s.w = values_ + begin;
  s.v = static_cast<float*>(first_moment_.data()) + begin;
  auto* const second = static_cast<float*>(second_moment_.data());
  if (second != nullptr) s.s = second + begin;
  s.count = count;
  s.lr = part.lr;
  const double decay = options_.weight_decay * (part.bias ? options_.bias_decay_factor : 1);
  s.decay = static_cast<float>(decay);
  if (working_.type != DType::f32) s.copy = working_.part(begin, {}).data;
  return s;
}

UpdateSegment Solver::segment(const GradientBlock& block) const {
  const std::int64_t begin = block.first - gradients_;
  const auto part = std::ranges::find_if(
      parts_, [&](const Part& p) { return p.floats.begin <= begin && begin < p.floats.end; });
  UpdateSegment s = segment(*part, begin, block.count);
  s.rows = block.rows;
  s.row = block.row;
  return s;
}

void Solver::run(const OpContext& op, std::span<const UpdateSegment> segments) {
  if (options_.kind == "adam")
    op_->adam(op, segments, AdamSpec{}, step_);
  else
    op_->sgd(op, segments, static_cast<float>(options_.momentum));
}

void Solver::update(const OpContext& op, Range gradients) {
  std::array<UpdateSegment, kSegments> segments;
  std::size_t count = 0;
  for (const Part& part : parts_) {
    const std::int64_t begin = std::max(part.floats.begin, gradients.begin);
    const std::int64_t end = std::min(part.floats.end, gradients.end);
    if (begin >= end) continue;
    if (count == segments.size()) {
      run(op, segments);
      count = 0;
    }
    segments[count] = segment(part, begin, end - begin);
    segments[count++].g = gradients_ + begin;
  }
  run(op, {segments.data(), count});
}

void Solver::update(const OpContext& op, const GradientBlock& block, const float* values,
                    std::int64_t values_row) {
  UpdateSegment s = segment(block);
  s.g = values;
  s.g_row = values_row;
  run(op, {&s, 1});
}

void Solver::expect(const GradientBlock& block) { op_->expect(segment(block)); }

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
