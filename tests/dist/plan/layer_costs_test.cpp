// Costs that made a measurement are found again from it.
#include "dist/plan/layer_costs.h"

#include <gtest/gtest.h>

#include "core/error.h"
#include "dist/partition/step_parts.h"

namespace convoy {
namespace {

NetSpec net() {
  ModelOptions options;
  options.towers = 2;
  options.classes = 1000;
  return build_alexnet(options);
}

constexpr double kImageMs = 0.5;
constexpr double kFixedMs = 20;
constexpr double kUpdateMs = 1e-6;  // of a parameter

// A measured step of a device on which every layer with weights costs the same.
Observation observed(const NetSpec& spec, const std::string& strategy, int ranks,
                     std::int64_t batch) {
  Observation seen;
  seen.batch = batch;
  seen.strategy = choose_strategy(strategy, spec, ranks, batch);
  const bool apart = strategy == "data";  // the update follows the sum of gradients
  for (const StepPart& part : step_parts(spec, seen.strategy, batch)) {
    LayerTime line;
    line.layer = part.layer;
    if (part.spec == nullptr) {
      line.layer = "exchange-" + part.layer;
      line.forward_ms = 100;
    } else if (part.parameters > 0) {
      const double pass = part.share * (kImageMs * static_cast<double>(part.images) + kFixedMs);
      const double update = kUpdateMs * static_cast<double>(part.parameters);
      line.forward_ms = pass;
      line.backward_ms = 2 * pass + (apart ? 0 : update);
      seen.update_ms += apart ? update : 0;
      seen.forward_ms += line.forward_ms;
      seen.backward_ms += line.backward_ms;
    }
    seen.layers.push_back(line);
  }
  seen.step_ms = seen.forward_ms + seen.backward_ms + seen.update_ms + 3;
  return seen;
}

void expect_costs(const DeviceCosts& costs) {
  for (const char* name : {"conv1", "conv3", "fc6", "fc8"}) {
    const LayerCost& cost = costs.layers.at(name);
    EXPECT_NEAR(cost.forward.image_ms, kImageMs, 1e-6) << name;
    EXPECT_NEAR(cost.forward.fixed_ms, kFixedMs, 1e-4) << name;
    EXPECT_NEAR(cost.backward.image_ms, 2 * kImageMs, 1e-6) << name;
    EXPECT_NEAR(cost.backward.fixed_ms, 2 * kFixedMs, 1e-4) << name;
  }
  EXPECT_NEAR(costs.rest_ms, 3, 1e-9);
}

TEST(LayerCosts, StrategiesOfOneComparisonTellImagesFromWeights) {
  const NetSpec spec = net();
  const DeviceCosts costs =
      fit_costs(spec,
                {observed(spec, "single", 1, 64), observed(spec, "model", 2, 64),
                 observed(spec, "data", 2, 64)},
                10);
  expect_costs(costs);
  EXPECT_NEAR(costs.layers.at("fc6").update_ms, kUpdateMs * 37'752'832, 1e-6);
}

TEST(LayerCosts, SoDoTwoBatches) {
  const NetSpec spec = net();
  expect_costs(
      fit_costs(spec, {observed(spec, "data", 2, 32), observed(spec, "data", 2, 256)}, 10));
}

TEST(LayerCosts, OneBatchTakesTheWeightsShareFromTheirBytes) {
  const NetSpec spec = net();
  const Observation seen = observed(spec, "data", 2, 128);
  const LayerCost fc6 = fit_costs(spec, {seen}, 10).layers.at("fc6");
  EXPECT_NEAR(fc6.forward.fixed_ms, 4e-7 * 37'752'832, 1e-6);
  EXPECT_NEAR(fc6.forward.ms(1, 64), kImageMs * 64 + kFixedMs, 1e-6);
}

TEST(LayerCosts, LayersAreScaledToTheStepWithoutClocks) {
  const NetSpec spec = net();
  Observation seen = observed(spec, "data", 2, 128);
  for (LayerTime& layer : seen.layers) {
    layer.forward_ms *= 1.5;
    layer.backward_ms *= 1.5;
  }
  const LayerCost conv3 = fit_costs(spec, {seen}, 10).layers.at("conv3");
  EXPECT_NEAR(conv3.forward.ms(1, 64), kImageMs * 64 + kFixedMs, 1e-6);
}

TEST(LayerCosts, AFusedLayerIsCountedUnderItsFirstName) {
  const NetSpec spec = net();
  Observation seen = observed(spec, "data", 2, 128);
  seen.layers.push_back({.layer = "norm1+pool1", .implementation = "", .forward_ms = 64});
  seen.forward_ms += 64;
  const DeviceCosts costs = fit_costs(spec, {seen}, 10);
  EXPECT_NEAR(costs.layers.at("norm1").forward.ms(1, 64), 64, 1e-6);
}

TEST(LayerCosts, ALayerOfAnotherNetIsRefused) {
  const NetSpec spec = net();
  Observation seen = observed(spec, "data", 2, 128);
  seen.layers.push_back({.layer = "conv9", .implementation = "", .forward_ms = 1});
  EXPECT_THROW(static_cast<void>(fit_costs(spec, {seen}, 10)), Error);
}

// conv3 of the two-tower net: 149,520,384 multiply-adds.
TEST(LayerCosts, ADescribedDeviceIsBoundByProductsOrByMemory) {
  const NetSpec spec = net();
  const DeviceCosts costs = describe_costs(spec, {"test", 1, 0.5, 100, DType::f32});
  EXPECT_NEAR(costs.layers.at("conv3").forward.image_ms, 2 * 149'520'384 / 0.5e9, 1e-6);
  EXPECT_NEAR(costs.layers.at("conv3").backward.image_ms, 4 * 149'520'384 / 0.5e9, 1e-6);
  EXPECT_NEAR(costs.layers.at("conv1").backward.image_ms, costs.layers.at("conv1").forward.image_ms,
              1e-9)
      << "nobody needs the gradient of the images";
  EXPECT_NEAR(costs.layers.at("pool1").forward.image_ms,
              4.0 * (55 * 55 * 96 + 27 * 27 * 96) / 100e6, 1e-9);
  EXPECT_NEAR(costs.layers.at("fc6").update_ms, 20.0 * 37'752'832 / 100e6, 1e-6);
}

}  // namespace
}  // namespace convoy
