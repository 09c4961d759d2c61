// A net with fused layers and moved masks against the same net layer by layer: equal to the bit.
#include "core/net/network.h"

#include <cstring>
#include <utility>

#include <gtest/gtest.h>

#include "core/device.h"
#include "core/random.h"

namespace convoy {
namespace {

constexpr std::int64_t kImages = 3;

// Hides what a layer offers beyond its passes, so that the layers below it mask for themselves.
class Plain : public Layer {
 public:
  explicit Plain(std::unique_ptr<Layer> layer) : layer_(std::move(layer)) {}
  [[nodiscard]] const std::string& name() const override { return layer_->name(); }
  [[nodiscard]] Shape output() const override { return layer_->output(); }
  [[nodiscard]] bool in_place() const override { return layer_->in_place(); }
  [[nodiscard]] std::size_t workspace_bytes() const override { return layer_->workspace_bytes(); }
  [[nodiscard]] std::vector<Parameter>& parameters() override { return layer_->parameters(); }
  void forward(const Pass& pass, const Tensor& x, const Tensor& y) override {
    layer_->forward(pass, x, y);
  }
  void backward(const Pass& pass, const Tensor& x, const Tensor& y, const Tensor& dy,
                const Tensor* dx) override {
    layer_->backward(pass, x, y, dy, dx);
  }

 private:
  std::unique_ptr<Layer> layer_;
};

std::vector<LayerPart> parts_of(const NetSpec& net) {
  std::vector<LayerPart> parts;
  std::uint32_t number = 0;
  for (const LayerSpec& layer : net.layers) {
    const auto* conv = std::get_if<ConvLayer>(&layer.kind);
    const bool reads_all = conv != nullptr ? conv->groups == 1 : layer.parameters() > 0;
    const std::int64_t out = layer.out.c;
    std::vector<Range> towers{{0, out}};
    if (reads_all && net.towers == 2) towers = {{0, out / 2}, {out / 2, out}};
    parts.push_back({kImages, {0, layer.in.c}, {0, out}, number == 0, towers, number});
    if (layer.parameters() > 0) ++number;
  }
  return parts;
}

Network make_network(Device& device, const NetSpec& net, bool fused) {
  const std::vector<LayerPart> parts = parts_of(net);
  std::vector<std::unique_ptr<Layer>> layers;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    const LayerSpec& spec = net.layers[i];
    std::unique_ptr<Layer> layer;
    if (fused && i + 1 < parts.size())
      layer = make_fused_layer(device, spec, parts[i], net.layers[i + 1], parts[i + 1]);
    if (layer) {
      ++i;
    } else {
      layer = make_layer(device, spec, parts[i]);
      if (!fused) layer = std::make_unique<Plain>(std::move(layer));
    }
    layers.push_back(std::move(layer));
  }
  return {device, {kImages, net.input.h, net.input.w, 3}, std::move(layers)};
}

void fill(const Tensor& t, std::uint32_t draw) {
  const RandomSource source(7, Purpose::synthetic);
  for (std::int64_t i = 0; i < t.count(); ++i)
    t.f32()[i] =
        static_cast<float>(uniform(source.block(draw, 0, static_cast<std::uint32_t>(i))[0]) - 0.5);
}

std::vector<float> values_of(const Tensor& t) { return {t.f32(), t.f32() + t.count()}; }

ModelOptions small_model() {
  ModelOptions model;
  model.input = 71;
  model.kernels = {16, 32, 48, 48, 24};
  model.neurons = {40, 24};
  model.classes = 7;
  model.weight_std = {.05, .05, .07, .07, .07, .1, .1, .1};
  return model;
}

void expect_same_gradients(const ModelOptions& model) {
  const NetSpec spec = build_alexnet(model);
  const auto device = make_device({"cpu", 2}, {});
  const auto stream = device->make_stream();
  std::vector<float> logits[2], gradients[2];
  for (const bool fused : {false, true}) {
    Network net = make_network(*device, spec, fused);
    net.initialise(5, *stream);
    fill(net.input(), 0);
    const Pass pass{{*stream, net.workspace()}, true, {}};
    net.forward(pass);
    logits[fused] = values_of(net.logits());
    fill(net.logits_gradient(), 1);
    net.backward(pass, nullptr);
    gradients[fused] = values_of(net.gradients());
  }
  EXPECT_EQ(logits[1], logits[0]);
  EXPECT_EQ(gradients[1], gradients[0]);
}

TEST(Network, FusedLayersAndMovedMasksChangeNoGradient) { expect_same_gradients(small_model()); }

TEST(Network, MasksOfSumsOverTowersChangeNoGradient) {
  ModelOptions model = small_model();
  model.drop = 0;  // fc7 then reads fc6's ReLU, with the kernels of both towers
  expect_same_gradients(model);
}

TEST(Network, TheOrderOf2012ChangesNoGradient) {
  ModelOptions model = small_model();
  model.order = "2012";
  model.spatial_norm = true;
  expect_same_gradients(model);
}

TEST(Network, DropoutOverPooledMapsChangesNoGradient) {
  ModelOptions model = small_model();
  model.towers = 1;
  model.drop_before = true;
  model.drop_inverted = true;
  expect_same_gradients(model);
}

TEST(Network, NamesFusedLayersByBoth) {
  const auto device = make_device({"cpu", 1}, {});
  const Network net = make_network(*device, build_alexnet(small_model()), true);
  EXPECT_EQ(net.layers()[1]->name(), "norm1+pool1");
  EXPECT_EQ(net.layers()[2]->name(), "conv2");
}

}  // namespace
}  // namespace convoy
