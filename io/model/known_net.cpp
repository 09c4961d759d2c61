// Compares a net with alexnet-pytorch's and torchvision's, layer by layer.
#include "io/model/known_net.h"

#include <algorithm>
#include <cmath>

#include "core/error.h"
#include "core/recipe.h"
#include "io/model/inference_net.h"

namespace convoy {
namespace {

NetSpec alexnet_pytorch(std::int64_t classes) {
  ModelOptions model = find_recipe("alexnet-pytorch").model;
  model.classes = classes;
  return build_alexnet(model);
}

// "One weird trick" without response normalisation; conv1 reads 224 pixels with two zeros around.
NetSpec torchvision(std::int64_t classes) {
  ModelOptions model = find_recipe("alexnet-pytorch").model;
  model.classes = classes;
  model.input = 224;
  model.conv1_pad = 2;
  model.kernels = {64, 192, 384, 256, 256};
  model.lrn_alpha = 0;
  model.lrn_k = 1;
  return build_alexnet(model);
}

bool near(double a, double b) { return std::abs(a - b) <= 1e-9 * std::abs(b); }

// What `same` compares of each kind; the shapes are compared for all.
bool same(const ConvLayer& a, const ConvLayer& b) {
  return a.kernels == b.kernels && a.kernel == b.kernel && a.stride == b.stride &&
         a.pad_begin == b.pad_begin && a.pad_end == b.pad_end && a.groups == b.groups &&
         a.relu == b.relu;
}
bool same(const FullyConnectedLayer& a, const FullyConnectedLayer& b) {
  return a.neurons == b.neurons && a.relu == b.relu;
}
bool same(const LrnLayer& a, const LrnLayer& b) {
  return a.size == b.size && a.groups == b.groups && near(a.alpha, b.alpha) &&
         near(a.beta, b.beta) && near(a.k, b.k);
}
bool same(const PoolLayer& a, const PoolLayer& b) {  // rounding shows in the shape
  return a.kernel == b.kernel && a.stride == b.stride;
}
bool same(const ReluLayer&, const ReluLayer&) { return true; }
template <typename A, typename B>
bool same(const A&, const B&) {  // of different kinds, or of one that their nets do not have
  return false;
}

bool same_layer(const LayerSpec& a, const LayerSpec& b) {
  return a.in == b.in && a.out == b.out &&
         std::visit([](const auto& x, const auto& y) { return same(x, y); }, a.kind, b.kind);
}

// "norm1: response norm 5 over all maps, alpha 0.0001, beta 0.75, k 2".
std::string described(const LayerSpec& layer) {
  std::string text = fmt::format("{}, {}", layer.name, layer.description());
  if (const auto* norm = std::get_if<LrnLayer>(&layer.kind)) {
    text += fmt::format(", alpha {:g} for the sum, beta {:g}, k {:g}", norm->alpha, norm->beta,
                        norm->k);
  }
  return text + fmt::format(", reads {}x{}x{}", layer.in.h, layer.in.w, layer.in.c);
}

std::string described(const std::vector<InferenceLayer>& layers, std::size_t index) {
  return index < layers.size() ? described(layers[index].spec) : "its end";
}

}  // namespace

void require_known_net(const NetSpec& net, TensorNames names) {
  if (names != TensorNames::alexnet_pytorch && names != TensorNames::torchvision) return;
  const NetSpec theirs =
      names == TensorNames::torchvision ? torchvision(net.classes) : alexnet_pytorch(net.classes);
  const std::vector<InferenceLayer> ours = inference_layers(net);
  const std::vector<InferenceLayer> known = inference_layers(theirs);
  for (std::size_t i = 0; i < std::max(ours.size(), known.size()); ++i) {
    if (i < ours.size() && i < known.size() && same_layer(ours[i].spec, known[i].spec)) continue;
    fail(
        ExitCode::usage,
        "the names {0} are for one net, and this one is another: it has {1}, where that of {0} has "
        "{2}; use --names torch",
        name_of(names), described(ours, i), described(known, i));
  }
}

}  // namespace convoy
