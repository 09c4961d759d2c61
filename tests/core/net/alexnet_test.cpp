// The builder's counts against the paper's and the recipes' published ones.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.h"
#include "core/net/spec.h"
#include "core/recipe.h"

namespace convoy {
namespace {

const LayerSpec& layer(const NetSpec& net, std::string_view name) {
  for (const LayerSpec& spec : net.layers) {
    if (spec.name == name) return spec;
  }
  throw std::runtime_error("no such layer");
}

std::string refusal(const ModelOptions& options) {
  try {
    static_cast<void>(build_alexnet(options));
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ExitCode::usage);
    return error.what();
  }
  return "";
}

TEST(AlexNet, TwoTowersHaveTheKnownCounts) {
  const NetSpec net = build_alexnet({});
  EXPECT_EQ(net.parameters(), 60'965'224);
  EXPECT_EQ(net.neurons(), 659'272);
  EXPECT_EQ(layer(net, "conv1").parameters(), 34'944);
  EXPECT_EQ(layer(net, "conv2").parameters(), 307'456);
  EXPECT_EQ(layer(net, "conv3").parameters(), 885'120);
  EXPECT_EQ(layer(net, "conv4").parameters(), 663'936);
  EXPECT_EQ(layer(net, "conv5").parameters(), 442'624);
  EXPECT_EQ(layer(net, "fc6").parameters(), 37'752'832);
  EXPECT_EQ(layer(net, "fc7").parameters(), 16'781'312);
  EXPECT_EQ(layer(net, "fc8").parameters(), 4'097'000);
  EXPECT_EQ(layer(net, "pool5").out, (Shape{1, 6, 6, 256}));
  EXPECT_NEAR(static_cast<double>(net.multiply_adds()), 0.72e9, 0.01e9);
}

TEST(AlexNet, OneColumnHasTheKnownCounts) {
  ModelOptions options;
  options.towers = 1;
  const NetSpec net = build_alexnet(options);
  EXPECT_EQ(net.parameters(), 62'378'344);
  EXPECT_EQ(net.neurons(), 659'272);
}

TEST(AlexNet, RecipesBuildTheNetsOfTheirSources) {
  const std::vector<std::pair<std::string, std::int64_t>> expected{
      {"paper", 60'965'224}, {"released-2012", 60'965'224},   {"owt-2014", 61'100'840},
      {"caffe", 60'965'224}, {"alexnet-pytorch", 62'378'344}, {"alexnet-pytorch-sgd", 62'378'344}};
  ASSERT_EQ(recipes().size(), expected.size());
  for (const auto& [name, parameters] : expected) {
    const NetSpec net = build_alexnet(find_recipe(name).model);
    EXPECT_EQ(net.parameters(), parameters) << name;
    EXPECT_EQ(layer(net, "conv1").out.h, 55) << name;
    EXPECT_EQ(layer(net, "pool1").out.h, 27) << name;
    EXPECT_EQ(layer(net, "pool2").out.h, 13) << name;
    EXPECT_EQ(layer(net, "pool5").out.h, 6) << name;
  }
}

// The values of the small nets' input are what configs/ relies on.
TEST(AlexNet, SmallImagesNeedASmallerFirstKernel) {
  ModelOptions options;
  options.input = 10;
  EXPECT_THAT(refusal(options), testing::HasSubstr("model.conv1-stride"));
  options.input = 28;
  options.conv1_kernel = 5;
  options.conv1_stride = 1;
  options.conv1_pad = 2;
  options.width = 0.25;
  options.classes = 10;
  const NetSpec net = build_alexnet(options);
  EXPECT_EQ(layer(net, "conv1").out, (Shape{1, 28, 28, 32}));
  EXPECT_EQ(layer(net, "fc8").out.c, 10);
}

TEST(AlexNet, WidthKeepsMultiplesOfEightPerTower) {
  ModelOptions options;
  options.width = 0.01;
  for (const LayerSpec& spec : build_alexnet(options).layers) {
    if (spec.name != "fc8") {
      EXPECT_EQ(spec.out.c % 16, 0) << spec.name;
    }
  }
}

TEST(AlexNet, RefusesContradictionsInOneSentence) {
  ModelOptions towers;
  towers.towers = 3;
  EXPECT_THAT(refusal(towers), testing::HasSubstr("model.towers is 3"));
  ModelOptions window;
  window.lrn_size = 4;
  EXPECT_THAT(refusal(window), testing::HasSubstr("odd"));
  ModelOptions order;
  order.order = "pool-first";
  EXPECT_THAT(refusal(order), testing::HasSubstr("pool-first"));
  ModelOptions drop;
  drop.drop = 1;
  EXPECT_THAT(refusal(drop), testing::HasSubstr("probability"));
  ModelOptions classes;
  classes.classes = 1;
  EXPECT_THAT(refusal(classes),
              testing::HasSubstr("outputs of fc8, of which there are 1, cannot be "
                                 "split over 2 towers; set model.towers to 1"));
}

// The 2012 code: conv1 and conv5 pool before their ReLU, and a second norm over pixels follows
// norm2.
TEST(AlexNet, OrderOfTheReleasedCode) {
  const NetSpec net = build_alexnet(find_recipe("released-2012").model);
  std::vector<std::string> names;
  for (const LayerSpec& spec : net.layers) names.push_back(spec.name);
  EXPECT_THAT(names, testing::ElementsAre("conv1", "norm1", "pool1", "relu1", "conv2", "norm2",
                                          "spatial-norm2", "pool2", "conv3", "conv4", "conv5",
                                          "pool5", "relu5", "fc6", "drop6", "fc7", "drop7", "fc8"));
  EXPECT_DOUBLE_EQ(std::get<LrnLayer>(layer(net, "norm1").kind).alpha, 2e-5);
  EXPECT_FALSE(std::get<ConvLayer>(layer(net, "conv1").kind).relu);
  EXPECT_TRUE(std::get<ConvLayer>(layer(net, "conv2").kind).relu);
}

}  // namespace
}  // namespace convoy
