// Nets by description: what is taken, that it is the net meant, and every sentence of refusal.
#include "core/net/description.h"

#include <cmath>
#include <ostream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.h"
#include "core/recipe.h"

namespace convoy {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

std::string refusal(const std::string& text) {
  try {
    static_cast<void>(parse_net(text, "a.net", 10));
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ExitCode::usage);
    return error.what();
  }
  ADD_FAILURE() << "nothing was refused in " << text;
  return "";
}

NetSpec parsed(const std::string& text) { return parse_net(text, "a.net", 10); }

constexpr const char* kSmall =
    "# a net\n"
    "input 20\n\n"
    "conv 8 kernel 3 pad 1 relu  # comments end with their line\n"
    "pool kernel 2 stride 2; relu\n"
    "fc 6 relu\r\n"
    "dropout 0.25\n"
    "fc classes";

TEST(Description, ReadsLinesAndSemicolons) {
  const NetSpec net = parsed(kSmall);
  std::vector<std::string> names;
  for (const LayerSpec& layer : net.layers) names.push_back(layer.name);
  EXPECT_THAT(names, ElementsAre("conv1", "pool1", "relu1", "fc2", "drop2", "fc3"));
  EXPECT_EQ(net.input, (Shape{1, 20, 20, 3}));
  EXPECT_EQ(net.towers, 1);
  EXPECT_EQ(net.classes, 10);
  EXPECT_EQ(net.layers[1].out, (Shape{1, 10, 10, 8}));
  EXPECT_EQ(net.layers[5].out, (Shape{1, 1, 1, 10}));
}

TEST(Description, InOneLineIsTheSameNet) {
  EXPECT_EQ(
      one_line(kSmall),
      "input 20; conv 8 kernel 3 pad 1 relu; pool kernel 2 stride 2; relu; fc 6 relu; dropout "
      "0.25; fc classes");
  EXPECT_EQ(one_line(one_line(kSmall)), one_line(kSmall));
  EXPECT_TRUE(parsed(one_line(kSmall)) == parsed(kSmall));
}

TEST(Description, LayersTakeAllTheirWords) {
  const NetSpec net = parsed(
      "input 40; towers 2\n"
      "conv 8 kernel 5 stride 2 pad 1 pad-end 2 std 0.5 bias 2 name first_1\n"
      "lrn size 3 alpha 0.3 divided beta 0.5 k 1 scope all\n"
      "conv 16 kernel 3 groups towers relu std he\n"
      "lrn\n"
      "spatial-norm size 3 alpha 0.1 beta 0.6 k 2\n"
      "pool stride 2 kernel 3 round-up name last-pool\n"
      "dropout 0.25 inverted number 7\n"
      "fc 4 uniform\n"
      "fc classes bias -1");
  const auto& layers = net.layers;
  ASSERT_EQ(layers.size(), 9U);
  EXPECT_EQ(layers[0].name, "first_1");
  EXPECT_EQ(std::get<ConvLayer>(layers[0].kind), (ConvLayer{8, 5, 2, 1, 3, 1, false, {.5, 2}}));
  EXPECT_EQ(std::get<LrnLayer>(layers[1].kind), (LrnLayer{3, 0.3 / 3, 0.5, 1, 1}));
  EXPECT_EQ(layers[0].out.h, (40 + 4 - 5) / 2 + 1);
  const auto& second = std::get<ConvLayer>(layers[2].kind);
  EXPECT_EQ(second.groups, 2);
  EXPECT_TRUE(second.relu);
  EXPECT_DOUBLE_EQ(second.init.spread, std::sqrt(2.0 / (9 * 4)));
  EXPECT_EQ(std::get<LrnLayer>(layers[3].kind), (LrnLayer{5, 1e-4, 0.75, 2, 2}));
  EXPECT_EQ(std::get<SpatialNormLayer>(layers[4].kind), (SpatialNormLayer{3, 0.1, 0.6, 2}));
  EXPECT_EQ(std::get<PoolLayer>(layers[5].kind), (PoolLayer{3, 2, true}));
  EXPECT_EQ(layers[5].name, "last-pool");
  EXPECT_EQ(layers[6].name, "drop7");
  EXPECT_EQ(std::get<DropoutLayer>(layers[6].kind), (DropoutLayer{0.25, 1 / 0.75, 1, 7}));
  const Initialisation uniform = std::get<FullyConnectedLayer>(layers[7].kind).init;
  EXPECT_TRUE(uniform.uniform);
  EXPECT_DOUBLE_EQ(uniform.spread, 1 / std::sqrt(static_cast<double>(layers[6].out.per_row())));
  EXPECT_EQ(std::get<FullyConnectedLayer>(layers[8].kind).init, (Initialisation{0.01, -1}));
}

// Variants that configs/nets has no file for; the files are compared in tests/launcher.
TEST(Description, CanSayEveryRecipesNet) {
  const std::string hidden = "fc 4096 relu bias 1; dropout 0.5; ";
  EXPECT_TRUE(parse_net("input 224; towers 2; conv 96 kernel 11 stride 4 pad-end 3;"
                        "lrn divided; pool kernel 3 stride 2 round-up; relu;"
                        "conv 256 kernel 5 pad 2 groups towers relu bias 1; lrn divided;"
                        "spatial-norm; pool kernel 3 stride 2 round-up;"
                        "conv 384 kernel 3 pad 1 relu std .03;"
                        "conv 384 kernel 3 pad 1 groups towers relu std .03 bias 1;"
                        "conv 256 kernel 3 pad 1 groups towers std .03 bias 1;"
                        "pool kernel 3 stride 2 round-up; relu;" +
                            hidden + hidden + "fc classes bias " +
                            fmt::format("{}", find_recipe("released-2012").model.bias[7]),
                        "2012", 1000) == build_alexnet(find_recipe("released-2012").model));
  EXPECT_TRUE(parse_net("input 227; conv 96 kernel 11 stride 4 relu; lrn divided;"
                        "pool kernel 3 stride 2; conv 256 kernel 5 pad 2 relu bias 1; lrn divided;"
                        "pool kernel 3 stride 2; conv 384 kernel 3 pad 1 relu;"
                        "conv 384 kernel 3 pad 1 relu bias 1; conv 256 kernel 3 pad 1 relu bias 1;"
                        "pool kernel 3 stride 2; dropout 0.5 inverted number 6;"
                        "fc 4096 relu uniform; dropout 0.5 inverted number 7;"
                        "fc 4096 relu uniform; fc classes uniform",
                        "torch", 1000) == build_alexnet(find_recipe("alexnet-pytorch").model));
}

TEST(Description, OfTheOptionsComesBeforeAlexNet) {
  ModelOptions options;
  EXPECT_TRUE(build_net(options) == build_alexnet(options));
  options.net = one_line(kSmall);
  options.classes = 3;
  EXPECT_EQ(build_net(options).layers.back().out.c, 3);
  EXPECT_EQ(build_net(options).layers.size(), 6U);
}

struct Refused {
  const char* text;
  const char* sentence;  // what it must contain

  friend void PrintTo(const Refused& refused, std::ostream* out) { *out << refused.text; }
};

class DescriptionRefuses : public testing::TestWithParam<Refused> {};

TEST_P(DescriptionRefuses, InOneSentenceWithThePlace) {
  const std::string sentence = refusal(GetParam().text);
  EXPECT_THAT(sentence, HasSubstr(GetParam().sentence));
  EXPECT_EQ(sentence.find('\n'), std::string::npos);
}

INSTANTIATE_TEST_SUITE_P(
    All, DescriptionRefuses,
    testing::Values(
        Refused{"", "a.net: the net does not end in 'fc classes'"},
        Refused{"input 8\nconv 4 kernel 3\n\nfc 3\n", "a.net, line 4: the net does not end in"},
        Refused{"input 8; conv 4 kernel 3; fc 3", "a.net, statement 3: the net does not end in"},
        Refused{"conv 4 kernel 3; fc classes", "'conv' stands before 'input N'"},
        Refused{"input 8; input 9", "'input' is said twice"},
        Refused{"input 0", "after 'input' stands '0', where a whole number from 1 to 4096"},
        Refused{"input 8 9", "'input' does not take '9'; what may follow it is: nothing"},
        Refused{"input", "after 'input' stands the end of the statement"},
        Refused{"input 8; conv 4 kernel 3; towers 2", "straight after 'input'"},
        Refused{"input 8; towers 2; towers 2", "'towers' is said once"},
        Refused{"input 8; towers two", "after 'towers' stands 'two'"},
        Refused{"input 8\nconvolution 4\n", "a.net, line 2: 'convolution' is no statement; use"},
        Refused{"input 8; pool kernel 2 stride 2", "the first layer must be a conv"},
        Refused{"input 8; fc classes", "the first layer must be a conv"},
        Refused{"input 8; conv kernel 3", "after 'conv' stands 'kernel', where a whole number"},
        Refused{"input 8; conv 4", "'conv' needs 'kernel N'"},
        Refused{"input 8; conv 4 kernal 3",
                "'conv' does not take 'kernal'; what may follow it is: kernel N, stride N"},
        Refused{"input 8; conv 4 kernel 3 kernel 3", "'kernel' is said twice"},
        Refused{"input 8; conv 4 kernel 3.5", "after 'kernel' stands '3.5'"},
        Refused{"input 8; conv 4 kernel 999999999999999999999", "after 'kernel' stands"},
        Refused{"input 8; conv 4 kernel 3 pad 3", "pad at most 2"},
        Refused{"input 8; conv 4 kernel 9",
                "kernels of 9x9 pixels do not fit the 8x8 maps below; use smaller kernels"},
        Refused{"input 8; conv 4 kernel 3 groups 2",
                "2 groups do not divide the 3 maps below and 4 kernels"},
        Refused{"input 8; towers 2; conv 5 kernel 3; conv 4 kernel 3 groups towers",
                "2 groups do not divide the 5 maps"},
        Refused{"input 8; towers 2; conv 1 kernel 3",
                "a.net, statement 3: the outputs of conv1, of which there are 1, cannot be split "
                "over 2 towers; use at least 2, or 'towers 1'"},
        Refused{"input 8; towers 4; conv 4 kernel 3; fc 3", "statement 4: the outputs of fc2"},
        Refused{"input 8; towers 12; conv 12 kernel 3; fc classes",
                "statement 4: the outputs of fc2, of which there are 10, cannot be split"},
        Refused{"input 8; conv 4 kernel 3 groups none", "after 'groups' stands 'none'"},
        Refused{"input 8; conv 4 kernel 3 std much", "after 'std' stands 'much'"},
        Refused{"input 8; conv 4 kernel 3 std nan", "after 'std' stands 'nan'"},
        Refused{"input 8; conv 4 kernel 3 uniform std 1", "'std' and 'bias' must be left out"},
        Refused{"input 8; conv 4 kernel 3 name 3rd", "after 'name' stands '3rd'"},
        Refused{"input 8; conv 4 kernel 3 name a:b", "after 'name' stands 'a:b'"},
        Refused{"input 8; conv 4 kernel 3 name loss", "another part of a step"},
        Refused{"input 8; conv 4 kernel 3 name exchange-a", "another part of a step"},
        Refused{"input 9; conv 4 kernel 3; relu; relu", "two layers are called relu1"},
        Refused{"input 8; towers 2; conv 5 kernel 3; lrn", "5 maps below do not divide into 2"},
        Refused{"input 8; conv 4 kernel 3; lrn size 4",
                "The window of response normalisation is 4"},
        Refused{"input 8; conv 4 kernel 3; lrn scope half", "must stand tower or all"},
        Refused{"input 8; conv 4 kernel 3; lrn k 0", "after 'k' stands '0'"},
        Refused{"input 8; conv 4 kernel 3; spatial-norm size 2", "2 pixels wide, but must be odd"},
        Refused{"input 8; conv 4 kernel 3; pool kernel 2",
                "'pool' needs 'kernel N' and 'stride N'"},
        Refused{"input 8; conv 4 kernel 3; pool kernel 7 stride 2",
                "windows of 7x7 pixels do not fit the 6x6 maps below"},
        Refused{"input 40; conv 4 kernel 3; pool kernel 17 stride 2", "must be 1 to 16 pixels"},
        Refused{"input 8; conv 4 kernel 3; dropout", "after 'dropout' stands the end"},
        Refused{"input 8; conv 4 kernel 3; dropout 1", "after 'dropout' stands '1'"},
        Refused{"input 8; conv 4 kernel 3; dropout 0.5; dropout 0.5", "give this one 'number N'"},
        Refused{"input 8; conv 4 kernel 3; fc 4; conv 4 kernel 1", "no maps are left after 'fc'"},
        Refused{"input 8; conv 4 kernel 3; fc 4; pool kernel 1 stride 1", "no maps are left"},
        Refused{"input 8; conv 4 kernel 3; fc classes relu", "'fc' does not take 'relu'"},
        Refused{"input 8; conv 4 kernel 3; fc classes; relu", "'relu' follows 'fc classes'"},
        Refused{"input 4096; conv 65536 kernel 200; fc classes",
                "the net grows beyond all devices"},
        Refused{"input 4096; conv 8 kernel 9 pad 8; fc classes", "maps of 4104x4104"}));

TEST(Description, RefusesTooManyLayersAndTooMuchText) {
  std::string deep = "input 8; conv 4 kernel 1";
  for (int i = 0; i < 63; ++i) deep += "; conv 4 kernel 1";
  EXPECT_THAT(refusal(deep + "; fc classes"), HasSubstr("at most 64"));
  std::string wordy = "input 8; conv 4 kernel 1";
  while (wordy.size() < 9000) wordy += " relu";
  EXPECT_THAT(refusal(wordy + "; fc classes"), HasSubstr("more than 8000 characters"));
}

TEST(Description, RefusesClassesThatNoNetHas) {
  EXPECT_THROW(static_cast<void>(parse_net(kSmall, "a.net", 0)), Error);
}

}  // namespace
}  // namespace convoy
