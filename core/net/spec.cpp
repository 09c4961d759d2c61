// Counts and descriptions of the logical net's layers, and which net the options ask for.
#include "core/net/spec.h"

#include <fmt/format.h>

#include "core/net/description.h"

namespace convoy {
namespace {

// One visitor from several lambdas.
template <typename... F>
struct Overloaded : F... {
  using F::operator()...;
};
template <typename... F>
Overloaded(F...) -> Overloaded<F...>;

}  // namespace

Shape LayerSpec::weight_shape() const {
  if (const auto* conv = std::get_if<ConvLayer>(&kind)) {
    return {conv->kernels, conv->kernel, conv->kernel, in.c / conv->groups};
  }
  if (const auto* fc = std::get_if<FullyConnectedLayer>(&kind)) {
    return {fc->neurons, in.h, in.w, in.c};
  }
  return {0, 1, 1, 1};
}

Shape LayerSpec::bias_shape() const { return {weight_shape().n, 1, 1, 1}; }

std::int64_t LayerSpec::parameters() const { return weight_shape().count() + bias_shape().count(); }

std::int64_t LayerSpec::neurons() const { return weight_shape().n > 0 ? out.per_row() : 0; }

std::int64_t LayerSpec::multiply_adds() const {
  return neurons() > 0 ? weight_shape().per_row() * out.per_row() : 0;
}

std::string LayerSpec::description() const {
  const auto relu = [](bool on) { return on ? ", ReLU" : ""; };
  return std::visit(
      Overloaded{
          [&](const ConvLayer& l) {
            std::string text = fmt::format("conv {} {}x{}", l.kernels, l.kernel, l.kernel);
            if (l.stride > 1) text += fmt::format(" stride {}", l.stride);
            if (l.pad_begin > 0) text += fmt::format(" pad {}", l.pad_begin);
            if (l.groups > 1) text += fmt::format(" in {} groups", l.groups);
            return text + relu(l.relu);
          },
          [&](const FullyConnectedLayer& l) {
            return fmt::format("fully connected {}{}", l.neurons, relu(l.relu));
          },
          [](const LrnLayer& l) {
            return fmt::format("response norm {} {}", l.size,
                               l.groups > 1 ? "within a tower" : "over all maps");
          },
          [](const SpatialNormLayer& l) {
            return fmt::format("response norm over {}x{} pixels", l.size, l.size);
          },
          [](const PoolLayer& l) {
            return fmt::format("max pool {}x{} stride {}", l.kernel, l.kernel, l.stride);
          },
          [](const ReluLayer&) { return std::string("ReLU"); },
          [](const DropoutLayer& l) { return fmt::format("dropout {}", l.drop); },
      },
      kind);
}

std::int64_t NetSpec::parameters() const {
  std::int64_t sum = 0;
  for (const LayerSpec& layer : layers) sum += layer.parameters();
  return sum;
}

std::int64_t NetSpec::neurons() const {
  std::int64_t sum = 0;
  for (const LayerSpec& layer : layers) sum += layer.neurons();
  return sum;
}

std::int64_t NetSpec::multiply_adds() const {
  std::int64_t sum = 0;
  for (const LayerSpec& layer : layers) sum += layer.multiply_adds();
  return sum;
}

NetSpec build_net(const ModelOptions& options) {
  if (options.net.empty()) return build_alexnet(options);
  return parse_net(options.net, "model.net", options.classes > 0 ? options.classes : 1000);
}

}  // namespace convoy
