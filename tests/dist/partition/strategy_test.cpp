// Strategies refuse what does not fit, and predict what they move.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.h"
#include "dist/partition/partition.h"
#include "dist/partition/traffic.h"

namespace convoy {
namespace {

NetSpec full_net(std::int64_t towers) {
  ModelOptions options;
  options.towers = towers;
  return build_alexnet(options);
}

std::string refusal(std::string_view name, const NetSpec& net, int ranks, std::int64_t batch) {
  try {
    static_cast<void>(choose_strategy(name, net, ranks, batch));
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ExitCode::usage);
    return error.what();
  }
  return "";
}

TEST(Strategy, RefusalsSayWhatFits) {
  using testing::HasSubstr;
  const NetSpec two = full_net(2);
  EXPECT_THAT(refusal("single", two, 2, 128), HasSubstr("1 rank"));
  EXPECT_THAT(refusal("model", two, 4, 128), HasSubstr("mpirun -n 2"));
  EXPECT_THAT(refusal("model", full_net(1), 2, 128), HasSubstr("--model.towers 2"));
  EXPECT_THAT(refusal("data", two, 3, 128), HasSubstr("126"));
  EXPECT_THAT(refusal("data", two, 4, 2), HasSubstr("4"));
  EXPECT_THAT(refusal("hybird", two, 4, 2), HasSubstr("hybird"));
  EXPECT_THAT(refusal("model", two, 4, 128), HasSubstr("hybrid"));
  EXPECT_THAT(refusal("hybrid", two, 3, 128), HasSubstr("mpirun -n 4"));
  EXPECT_THAT(refusal("hybrid", full_net(1), 4, 128), HasSubstr("--model.towers 2"));
  EXPECT_THAT(refusal("hybrid", two, 6, 128), HasSubstr("126"));
  EXPECT_THAT(refusal("owt", two, 3, 128), HasSubstr("126"));
  ModelOptions few;
  few.classes = 3;
  EXPECT_THAT(refusal("owt", build_alexnet(few), 4, 128),
              AllOf(HasSubstr("fc8 with 3 outputs"), HasSubstr("at most 3 ranks")));
  ModelOptions caffe;
  caffe.lrn_scope = "all";
  EXPECT_THAT(refusal("model", build_alexnet(caffe), 2, 128), HasSubstr("model.lrn-scope"));
  EXPECT_THAT(refusal("hybrid", build_alexnet(caffe), 4, 128), HasSubstr("model.lrn-scope"));
  EXPECT_EQ(refusal("owt", build_alexnet(caffe), 4, 128), "") << "towers lie within a rank";
}

TEST(Strategy, ModelKeepsGroupsInsideATower) {
  ModelOptions odd;
  odd.net = "input 8; towers 2; conv 6 kernel 3; conv 6 kernel 3 groups 3; fc classes";
  for (const auto& [name, ranks] : {std::pair{"model", 2}, std::pair{"hybrid", 4}}) {
    EXPECT_THAT(refusal(name, build_net(odd), ranks, 128),
                testing::HasSubstr("the 3 groups of conv2 do not divide into 2 towers"));
  }
  EXPECT_EQ(refusal("data", build_net(odd), 2, 128), "");
}

TEST(Strategy, AutoTakesSingleOrData) {
  EXPECT_EQ(choose_strategy("auto", full_net(2), 1, 128).name, "single");
  EXPECT_EQ(choose_strategy("auto", full_net(2), 4, 128).grid.replicas, 4);
}

// The figures of the paper's net: 30,836 values an image forward, 30,336 backward.
TEST(Traffic, ModelExchangesBeforeConv3AndTheFullyConnectedLayers) {
  const NetSpec net = full_net(2);
  const auto lines = predict_traffic(net, choose_strategy("model", net, 2, 1), 1);
  std::vector<std::string> places;
  std::int64_t forward = 0;
  std::int64_t backward = 0;
  for (const TrafficLine& line : lines) {
    EXPECT_EQ(line.payload_bytes, line.wire_bytes) << "two ranks send what they hand over";
    (line.backward ? backward : forward) += line.payload_bytes / 4;
    if (!line.backward) places.push_back(line.place);
  }
  EXPECT_THAT(places, testing::ElementsAre("before conv3", "before fc6", "before fc7", "before fc8",
                                           "logits"));
  EXPECT_EQ(forward, 30'836);
  EXPECT_EQ(backward, 30'336);
}

TEST(Traffic, Bf16HalvesActivationsButNotGradients) {
  const NetSpec net = full_net(2);
  const auto payload = [&](const char* strategy, DType activations) {
    std::int64_t bytes = 0;
    for (const TrafficLine& line :
         predict_traffic(net, choose_strategy(strategy, net, 2, 2), 2, activations))
      bytes += line.payload_bytes;
    return bytes;
  };
  EXPECT_EQ(payload("model", DType::bf16), 2 * 2 * (30'836 + 30'336));
  EXPECT_EQ(payload("model", DType::f32), 2 * payload("model", DType::bf16));
  EXPECT_EQ(payload("data", DType::bf16), payload("data", DType::f32));
}

TEST(Traffic, DataMovesEveryGradient) {
  const NetSpec net = full_net(2);
  const auto lines = predict_traffic(net, choose_strategy("data", net, 4, 128), 128);
  ASSERT_EQ(lines.size(), 1u);
  EXPECT_EQ(lines[0].payload_bytes, 4 * 60'965'224);
  EXPECT_EQ(lines[0].wire_bytes, 6 * 60'965'224);
}

// Along one axis what model moves, along the other what data would move of half the net.
TEST(Traffic, HybridMovesExchangesOfItsPairAndGradientsOfItsTower) {
  const NetSpec net = full_net(2);
  const auto hybrid = predict_traffic(net, choose_strategy("hybrid", net, 4, 128), 128);
  const auto model = predict_traffic(net, choose_strategy("model", net, 2, 64), 64);
  ASSERT_EQ(hybrid.size(), model.size() + 1);
  for (std::size_t i = 0; i < model.size(); ++i) {
    EXPECT_EQ(hybrid[i].place, model[i].place);
    EXPECT_EQ(hybrid[i].payload_bytes, model[i].payload_bytes);
    EXPECT_EQ(hybrid[i].wire_bytes, model[i].wire_bytes);
  }
  EXPECT_EQ(hybrid.back().payload_bytes, 4 * 60'965'224 / 2);
  EXPECT_EQ(hybrid.back().wire_bytes, hybrid.back().payload_bytes) << "2 (n-1)/n of 2 replicas";
}

// Values an image by hand: 9,216 before fc6, 4,096 / 4 ranks before fc7 and fc8, 250 logits.
TEST(Traffic, OwtMovesActivationsOfFullyConnectedLayersAndGradientsOfConvolutions) {
  const NetSpec net = full_net(2);
  const std::int64_t convolutions = 60'965'224 - 37'752'832 - 16'781'312 - 4'097'000;
  for (const char* scheme : {"all", "turns"}) {
    const auto lines = predict_traffic(net, choose_strategy("owt", net, 4, 128, scheme), 128);
    ASSERT_EQ(lines.size(), 9u);
    std::int64_t values = 0;
    for (std::size_t i = 0; i + 1 < lines.size(); ++i) {
      values += lines[i].payload_bytes / 4;
      EXPECT_EQ(lines[i].wire_bytes, 3 * lines[i].payload_bytes);
    }
    EXPECT_EQ(values, 2 * (32 * 9'216 + 2 * 128 * 1'024) + 128 * 250 + 32 * 1'000) << scheme;
    EXPECT_EQ(lines.back().payload_bytes, 4 * convolutions);
    EXPECT_EQ(lines.back().wire_bytes, 6 * convolutions);
  }
}

// What a rank holds of each layer, and how often it is held.
TEST(Partition, OwtCutsConvolutionsByImagesAndTheRestByChannels) {
  const NetSpec net = full_net(1);
  for (const char* scheme : {"all", "turns"}) {
    const Strategy strategy = choose_strategy("owt", net, 4, 128, scheme);
    for (const PlannedLayer& planned : partition(net, strategy, 3, 128)) {
      const auto* layer = std::get_if<LayerPlan>(&planned);
      if (layer == nullptr || layer->spec->parameters() == 0) continue;
      const bool conv = std::holds_alternative<ConvLayer>(layer->spec->kind);
      EXPECT_EQ(layer->part.images, conv || scheme == std::string("turns") ? 32 : 128);
      EXPECT_EQ(layer->part.in.size(), layer->spec->in.c) << layer->spec->name;
      EXPECT_EQ(layer->part.out.size(), layer->spec->out.c / (conv ? 1 : 4));
      EXPECT_EQ(layer->part.sharing.shares, conv ? 1 : 4);
      EXPECT_EQ(layer->part.sharing.copies, conv ? 4 : 1);
    }
  }
}

TEST(Partition, TowersHoldContiguousChannelsAndSingleHoldsAll) {
  const NetSpec net = full_net(2);
  for (const PlannedLayer& planned : partition(net, {"single", {1, 1}}, 0, 8)) {
    ASSERT_TRUE(std::holds_alternative<LayerPlan>(planned));
    const LayerPlan& layer = std::get<LayerPlan>(planned);
    EXPECT_EQ(layer.part.out.size(), layer.spec->out.c);
  }
  for (const PlannedLayer& planned : partition(net, {"model", {1, 2}}, 1, 8)) {
    if (const auto* layer = std::get_if<LayerPlan>(&planned)) {
      EXPECT_EQ(layer->part.out, (Range{layer->spec->out.c / 2, layer->spec->out.c}));
    }
  }
}

TEST(Partition, PartsMayBeUneven) {
  EXPECT_EQ(channel_part(10, 0, 4), (Range{0, 2}));
  EXPECT_EQ(channel_part(10, 1, 4), (Range{2, 5}));
  EXPECT_EQ(channel_part(10, 3, 4), (Range{7, 10}));
}

}  // namespace
}  // namespace convoy
