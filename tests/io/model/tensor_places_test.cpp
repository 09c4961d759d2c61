// Names, layouts and factors of tensors in other programs, against closed forms.
#include "io/model/tensor_places.h"

#include <cmath>
#include <numeric>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/net/description.h"
#include "core/recipe.h"
#include "tests/io/model/small_net.h"
#include "tests/io/support/expect_error.h"

namespace convoy {
namespace {

using testing::ElementsAre;

std::vector<std::string> names(const NetSpec& net, TensorNames kind) {
  std::vector<std::string> result;
  for (const TensorPlace& place : tensor_places(net, kind, false)) result.push_back(place.name);
  return result;
}

TensorPlace place_of(const NetSpec& net, TensorNames kind, const std::string& layer,
                     const std::string& tensor = "weight", bool bgr = false) {
  for (const TensorPlace& place : tensor_places(net, kind, bgr))
    if (place.layer == layer && place.kind == tensor) return place;
  ADD_FAILURE() << layer << " is missing";
  return {};
}

std::vector<float> indices(std::int64_t count) {
  std::vector<float> values(static_cast<std::size_t>(count));
  std::iota(values.begin(), values.end(), 0.0f);
  return values;
}

NetSpec torchvision_net() {
  ModelOptions model = find_recipe("alexnet-pytorch").model;
  model.classes = 7;
  model.input = 224;
  model.conv1_pad = 2;
  model.kernels = {64, 192, 384, 256, 256};
  model.lrn_alpha = 0;
  model.lrn_k = 1;
  return build_alexnet(model);
}

TEST(TensorPlaces, EachProgramHasItsNames) {
  const NetSpec net = build_alexnet(small_model());
  for (const TensorNames kind : {TensorNames::convoy, TensorNames::torch, TensorNames::caffe}) {
    EXPECT_THAT(
        names(net, kind),
        ElementsAre("conv1.weight", "conv1.bias", "conv2.weight", "conv2.bias", "conv3.weight",
                    "conv3.bias", "conv4.weight", "conv4.bias", "conv5.weight", "conv5.bias",
                    "fc6.weight", "fc6.bias", "fc7.weight", "fc7.bias", "fc8.weight", "fc8.bias"));
  }
  const NetSpec one_column = build_alexnet(find_recipe("alexnet-pytorch").model);
  EXPECT_THAT(
      names(one_column, TensorNames::alexnet_pytorch),
      ElementsAre("net.0.weight", "net.0.bias", "net.4.weight", "net.4.bias", "net.8.weight",
                  "net.8.bias", "net.10.weight", "net.10.bias", "net.12.weight", "net.12.bias",
                  "classifier.1.weight", "classifier.1.bias", "classifier.4.weight",
                  "classifier.4.bias", "classifier.6.weight", "classifier.6.bias"));
  EXPECT_THAT(
      names(torchvision_net(), TensorNames::torchvision),
      ElementsAre("features.0.weight", "features.0.bias", "features.3.weight", "features.3.bias",
                  "features.6.weight", "features.6.bias", "features.8.weight", "features.8.bias",
                  "features.10.weight", "features.10.bias", "classifier.1.weight",
                  "classifier.1.bias", "classifier.4.weight", "classifier.4.bias",
                  "classifier.6.weight", "classifier.6.bias"));
}

TEST(TensorPlaces, ExtentsAreTheOtherProgramsOwn) {
  const NetSpec net = build_alexnet(small_model());
  EXPECT_THAT(place_of(net, TensorNames::torch, "conv2").extents, ElementsAre(16, 8, 5, 5));
  EXPECT_THAT(place_of(net, TensorNames::convoy, "conv2").extents, ElementsAre(16, 5, 5, 8));
  EXPECT_THAT(place_of(net, TensorNames::torch, "fc6").extents, ElementsAre(16, 16 * 3 * 3));
  EXPECT_THAT(place_of(net, TensorNames::convoy, "fc6").extents, ElementsAre(16, 3, 3, 16));
  EXPECT_THAT(place_of(net, TensorNames::caffe, "fc8", "bias").extents, ElementsAre(5));
}

TEST(TensorPlaces, EveryValueOfAConvolutionMovesToItsPlace) {
  const TensorPlace place = place_of(build_alexnet(small_model()), TensorNames::torch, "conv2");
  const Shape s = place.shape;
  std::vector<float> theirs(static_cast<std::size_t>(s.count()));
  to_theirs(place, indices(s.count()), theirs);
  std::size_t at = 0;
  for (std::int64_t k = 0; k < s.n; ++k)
    for (std::int64_t c = 0; c < s.c; ++c)
      for (std::int64_t h = 0; h < s.h; ++h)
        for (std::int64_t w = 0; w < s.w; ++w, ++at)
          ASSERT_EQ(theirs[at], static_cast<float>(((k * s.h + h) * s.w + w) * s.c + c));
}

// fc6 reads maps that lie pixel by pixel here and map by map there.
TEST(TensorPlaces, Fc6ReadsItsInputMapByMap) {
  const TensorPlace place = place_of(build_alexnet(small_model()), TensorNames::torch, "fc6");
  ASSERT_EQ(place.shape, (Shape{16, 3, 3, 16}));
  std::vector<float> theirs(static_cast<std::size_t>(place.shape.count()));
  to_theirs(place, indices(place.shape.count()), theirs);
  for (std::size_t out = 0; out < 16; ++out)
    for (std::size_t map = 0; map < 16; ++map)
      for (std::size_t pixel = 0; pixel < 9; ++pixel)
        ASSERT_EQ(theirs[out * 144 + map * 9 + pixel],
                  static_cast<float>(out * 144 + pixel * 16 + map));
}

TEST(TensorPlaces, OnlyConv1ReversesItsColoursAndOnlyWhereTheirOrderDiffers) {
  const NetSpec net = build_alexnet(small_model());
  const auto reversed = [&](TensorNames kind, bool bgr) {
    std::vector<std::string> layers;
    for (const TensorPlace& place : tensor_places(net, kind, bgr))
      if (place.reversed_channels) layers.push_back(place.layer + "." + place.kind);
    return layers;
  };
  EXPECT_THAT(reversed(TensorNames::torch, false), ElementsAre());
  EXPECT_THAT(reversed(TensorNames::torch, true), ElementsAre("conv1.weight"));
  EXPECT_THAT(reversed(TensorNames::caffe, false), ElementsAre("conv1.weight"));
  EXPECT_THAT(reversed(TensorNames::caffe, true), ElementsAre());
  EXPECT_THAT(reversed(TensorNames::convoy, true), ElementsAre());

  const TensorPlace place = place_of(net, TensorNames::caffe, "conv1");
  std::vector<float> theirs(static_cast<std::size_t>(place.shape.count()));
  to_theirs(place, indices(place.shape.count()), theirs);
  EXPECT_EQ(theirs[0], 2) << "red of the first pixel stands in the last plane";
  EXPECT_EQ(theirs[25], 1);
  EXPECT_EQ(theirs[50], 0);
  EXPECT_EQ(theirs[51], 3);
}

TEST(TensorPlaces, ColoursThatAreReadInGroupsCannotBeReversed) {
  const NetSpec net = parse_net("input 24; conv 9 kernel 5 groups 3 name look; fc classes", "n", 4);
  const auto refused = [&](TensorNames kind, bool bgr, const std::string& words) {
    expect_error(ExitCode::usage, {"look reads the colours in 3 groups", words},
                 [&] { static_cast<void>(tensor_places(net, kind, bgr)); });
  };
  refused(TensorNames::caffe, false,
          "blue first, as nets with the names caffe do; with data.bgr true");
  refused(TensorNames::torch, true,
          "red first, as nets with the names torch do; with data.bgr false");
  for (const auto& [kind, bgr] : {std::pair(TensorNames::caffe, true),
                                  {TensorNames::torch, false},
                                  {TensorNames::convoy, true}})
    EXPECT_NO_THROW(static_cast<void>(tensor_places(net, kind, bgr)));
}

TEST(TensorPlaces, DropoutsScaleGoesIntoTheWeightsThatReadItAndNoBiases) {
  ModelOptions model = small_model();
  const auto factors = [&](TensorNames kind) {
    std::vector<std::string> found;
    for (const TensorPlace& place : tensor_places(build_alexnet(model), kind, false))
      if (place.factor != 1) found.push_back(fmt::format("{} {}", place.name, place.factor));
    return found;
  };
  EXPECT_THAT(factors(TensorNames::torch), ElementsAre("fc7.weight 0.5", "fc8.weight 0.5"));
  EXPECT_THAT(factors(TensorNames::caffe), ElementsAre("fc7.weight 0.5", "fc8.weight 0.5"));
  EXPECT_THAT(factors(TensorNames::convoy), ElementsAre());
  model.drop_before = true;
  EXPECT_THAT(factors(TensorNames::torch), ElementsAre("fc6.weight 0.5", "fc7.weight 0.5"));
  model.drop_inverted = true;
  EXPECT_THAT(factors(TensorNames::torch), ElementsAre());
}

TEST(TensorPlaces, WhatCameFromUsComesBackAndLeavesTheSameAgain) {
  ModelOptions model = small_model();
  for (const double drop : {0.5, 0.3, 0.9}) {
    model.drop = drop;
    const TensorPlace place = place_of(build_alexnet(model), TensorNames::torch, "fc7");
    std::vector<float> ours(static_cast<std::size_t>(place.shape.count()));
    for (std::size_t i = 0; i < ours.size(); ++i) ours[i] = std::sin(static_cast<float>(i)) / 100;
    std::vector<float> theirs(ours.size());
    std::vector<float> back(ours.size());
    std::vector<float> again(ours.size());
    to_theirs(place, ours, theirs);
    to_ours(place, theirs, back);
    to_theirs(place, back, again);
    EXPECT_EQ(theirs, again) << drop;
    if (drop == 0.5) {
      EXPECT_EQ(ours, back);
      EXPECT_EQ(theirs[1], ours[1] / 2);
    }
  }
}

TEST(TensorPlaces, NetsThatAreNotTheirsAreRefusedWithTheFirstLayerThatDiffers) {
  const auto refused = [](const ModelOptions& model, TensorNames kind,
                          std::initializer_list<std::string> words) {
    expect_error(ExitCode::usage, words,
                 [&] { static_cast<void>(tensor_places(build_alexnet(model), kind, false)); });
  };
  ModelOptions model = find_recipe("paper").model;
  refused(model, TensorNames::alexnet_pytorch,
          {"has norm1", "alpha 0.0001 for the sum", "alexnet-pytorch has norm1", "alpha 2e-05"});
  model.lrn_alpha_divided = true;
  refused(model, TensorNames::alexnet_pytorch, {"norm1, response norm 5 within a tower"});
  model.towers = 1;
  EXPECT_NO_THROW(
      static_cast<void>(tensor_places(build_alexnet(model), TensorNames::alexnet_pytorch, false)));
  model.order = "2012";
  refused(model, TensorNames::alexnet_pytorch, {"has conv1", "conv 96 11x11 stride 4, reads"});
  refused(find_recipe("alexnet-pytorch").model, TensorNames::torchvision,
          {"has conv1", "conv 96 11x11 stride 4, ReLU", "has conv1, conv 64 11x11 stride 4 pad 2"});
  model = find_recipe("owt-2014").model;
  model.order = "relu-norm-pool";
  model.conv1_pad = 2;
  model.conv1_pad_end = 0;
  refused(model, TensorNames::torchvision, {"has norm1", "has pool1", "--names torch"});
}

TEST(TensorPlaces, ANormalisationThatDropoutsScaleCannotPassIsNamed) {
  NetSpec net = build_alexnet(small_model());
  net.layers.insert(net.layers.begin() + 1,
                    {"drop1", DropoutLayer{}, net.layers[0].out, net.layers[0].out});
  expect_error(
      ExitCode::usage,
      {"scale of drop1", "norm1 stands before", "model.drop-inverted", "dropout X inverted"},
      [&] { static_cast<void>(tensor_places(net, TensorNames::torch, false)); });
  EXPECT_NO_THROW(static_cast<void>(tensor_places(net, TensorNames::convoy, false)));
  net = build_alexnet(small_model());
  net.layers.push_back({"drop8", DropoutLayer{}, net.layers.back().out, net.layers.back().out});
  expect_error(ExitCode::usage,
               {"scale of drop8", "no layer with weights follows", "dropout X inverted"},
               [&] { static_cast<void>(tensor_places(net, TensorNames::caffe, false)); });
}

}  // namespace
}  // namespace convoy
