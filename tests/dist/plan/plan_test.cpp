// Predicted steps: sums of their parts, hidden gradients, and the batch at which strategies change.
#include "dist/plan/plan.h"

#include <gtest/gtest.h>

#include "core/error.h"
#include "dist/plan/collectives.h"

namespace convoy {
namespace {

NetSpec full_net() {
  ModelOptions options;
  options.towers = 2;
  options.classes = 1000;
  return build_alexnet(options);
}

// Every layer with weights takes 1 ms an image forward and 2 backward; weights take no time.
PlanInput input(int nodes) {
  PlanInput made;
  made.net = full_net();
  made.cluster.nodes = nodes;
  made.cluster.intra = {2, 80, 1};
  made.cluster.inter = {0, 1, 1};
  for (const LayerSpec& layer : made.net.layers)
    if (layer.parameters() > 0) made.costs.layers[layer.name] = {{1, 0}, {2, 0}, 0};
  return made;
}

Prediction of(const PlanInput& made, const std::string& name, std::int64_t batch) {
  return predict(made, fit_strategy(name, made.net, made.cluster.ranks(), batch), batch);
}

constexpr double kByteMs = 1 / 125e3;  // at 1 Gbit/s
constexpr double kGradientBytes = 4.0 * 60'965'224;
constexpr double kActivationBytes = 4.0 * (30'836 + 30'336);  // an image, both passes

TEST(Plan, SingleIsItsLayers) {
  PlanInput made = input(1);
  made.costs.rest_ms = 5;
  const Prediction one = of(made, "single", 16);
  EXPECT_NEAR(one.compute_ms, 8 * 3 * 16, 1e-9);
  EXPECT_NEAR(one.step_ms, 8 * 3 * 16 + 5, 1e-9);
  EXPECT_EQ(one.payload_bytes, 0);
  EXPECT_NEAR(one.images_per_second(), 16'000 / one.step_ms, 1e-9);
}

TEST(Plan, OneRankMayBeQuickerAloneThanBesideOthers) {
  PlanInput made = input(2);
  made.costs_alone = made.costs;
  for (auto& [name, cost] : made.costs_alone.layers) cost.forward.image_ms = 0.5;
  EXPECT_NEAR(of(made, "single", 16).compute_ms, 8 * 2.5 * 16, 1e-9);
  EXPECT_NEAR(of(made, "model", 16).compute_ms, 8 * 3 * 8, 1e-9);
}

TEST(Plan, ModelHalvesTheLayersAndSendsActivations) {
  const Prediction model = of(input(2), "model", 16);
  EXPECT_NEAR(model.compute_ms, 8 * 3 * 16 / 2, 1e-9);
  EXPECT_NEAR(model.exchange_ms, 16 * kActivationBytes * kByteMs, 1e-6);
  EXPECT_EQ(model.gradient_ms, 0);
}

TEST(Plan, DataHalvesTheImagesAndSumsGradients) {
  PlanInput made = input(2);
  made.cluster.all_reduce = "ring";
  const Prediction data = of(made, "data", 16);
  EXPECT_NEAR(data.compute_ms, 8 * 3 * 8, 1e-9);
  EXPECT_NEAR(data.gradient_ms, kGradientBytes * kByteMs, 1e-6);
  made.cluster.all_reduce = "auto";
  EXPECT_NEAR(of(made, "data", 16).gradient_ms, kGradientBytes * kByteMs, 1e-6) << "slices";
  made.cluster.all_reduce = "tree";
  EXPECT_NEAR(of(made, "data", 16).gradient_ms, 2 * kGradientBytes * kByteMs, 1e-6)
      << "up the tree, and down";
}

TEST(Plan, WeightsCostWhateverTheBatchButAreSharedByTowers) {
  PlanInput made = input(2);
  for (auto& [name, cost] : made.costs.layers) cost.backward.fixed_ms = 10;
  EXPECT_NEAR(of(made, "single", 16).compute_ms, 8 * 3 * 16 + 80, 1e-9);
  EXPECT_NEAR(of(made, "model", 16).compute_ms, 8 * 3 * 8 + 40, 1e-9);
  EXPECT_NEAR(of(made, "data", 16).compute_ms, 8 * 3 * 8 + 80, 1e-9);
}

TEST(Plan, BackwardHidesGradientsThatAreReadyEarly) {
  PlanInput made = input(2);
  made.cluster.all_reduce = "ring";
  made.cluster.overlap = true;
  // So much backward that all but the last bucket, which has conv1's gradient, is through before.
  const Prediction slow = of(made, "data", 4096);
  EXPECT_GT(slow.gradient_ms, 0);
  EXPECT_LT(slow.gradient_ms, 1.01 * made.bucket_bytes * kByteMs);
  EXPECT_NEAR(slow.all_reduce_ms, kGradientBytes * kByteMs, 1e-6);
  // Hardly any backward: nothing is hidden but what fc8, first through, gives.
  const Prediction quick = of(made, "data", 2);
  EXPECT_GT(quick.gradient_ms, 0.98 * kGradientBytes * kByteMs);
}

// Steps are equal where the activations of the batch take as long as the gradients.
TEST(Plan, FindsTheBatchAtWhichDataDrawsLevelWithModel) {
  PlanInput made = input(2);
  made.cluster.all_reduce = "ring";
  const double level = kGradientBytes / kActivationBytes;  // 996.6
  const std::vector<Lead> found = leads(made, {"model", "data"}, 2, 64, 4096);
  ASSERT_EQ(found.size(), 2u);
  EXPECT_EQ(found[0].strategy, "model");
  EXPECT_EQ(found[0].from_batch, 64);
  EXPECT_EQ(found[1].strategy, "data");
  EXPECT_NEAR(static_cast<double>(found[1].from_batch), level, 2);
}

TEST(Plan, StrategiesTakeTheRanksThatTheyCanUse) {
  const NetSpec net = full_net();
  EXPECT_EQ(fit_strategy("single", net, 64, 128).grid.ranks(), 1);
  EXPECT_EQ(fit_strategy("model", net, 64, 128).grid.ranks(), 2);
  EXPECT_EQ(fit_strategy("data", net, 64, 128).grid.ranks(), 64);
  EXPECT_THROW(static_cast<void>(fit_strategy("data", net, 64, 100)), Error);
}

}  // namespace
}  // namespace convoy
