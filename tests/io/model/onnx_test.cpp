// The graph that leaves as ONNX: its operators and their settings.
#include "io/model/onnx.h"

#include <cstring>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <onnx.pb.h>

#include "core/net/description.h"
#include "io/files/temporary_folder.h"
#include "tests/io/model/small_net.h"

namespace convoy {
namespace {

using testing::ElementsAre;

class Onnx : public testing::Test {
 protected:
  onnx::Model written(const ModelOptions& options, bool softmax = false) {
    return written(build_alexnet(options), softmax);
  }
  onnx::Model written(const NetSpec& net, bool softmax) {
    OutgoingModel model;
    model.net = net;
    model.places = tensor_places(model.net, TensorNames::torch, false);
    model.metadata = {{"classes", "[]"}};
    model.values = [](const TensorPlace& place) {
      return std::vector<float>(static_cast<std::size_t>(place.shape.count()), 0.25f);
    };
    const auto path = folder_.path() / "net.onnx";
    write_onnx(path, model, softmax);
    bytes_ = bytes_of_file(path);
    onnx::Model read;
    EXPECT_TRUE(read.ParseFromString(bytes_));
    return read;
  }
  static const onnx::Node& node(const onnx::Model& model, const std::string& name) {
    for (const onnx::Node& node : model.graph().node())
      if (node.name() == name) return node;
    throw std::runtime_error("no node " + name);
  }
  static const onnx::Attribute& attribute(const onnx::Node& node, const std::string& name) {
    for (const onnx::Attribute& attribute : node.attribute())
      if (attribute.name() == name) return attribute;
    throw std::runtime_error("no attribute " + name);
  }
  static std::string operators(const onnx::Model& model) {
    std::string text;
    for (const onnx::Node& node : model.graph().node()) text += node.op_type() + " ";
    return text;
  }
  TemporaryFolder folder_;
  std::string bytes_;
};

TEST_F(Onnx, TowersAreSplitNormalisedAndConcatenated) {
  const onnx::Model model = written(small_model());
  EXPECT_EQ(operators(model),
            "Conv Relu Split LRN LRN Concat MaxPool Conv Relu Split LRN LRN Concat MaxPool "
            "Conv Relu Conv Relu Conv Relu MaxPool Flatten Gemm Relu Gemm Relu Gemm Identity ");
  EXPECT_THAT(node(model, "norm1.split").output(), ElementsAre("norm1.split0", "norm1.split1"));
  EXPECT_EQ(attribute(node(model, "norm1.split"), "axis").i(), 1);
  EXPECT_THAT(node(model, "norm1.tower1").input(), ElementsAre("norm1.split1"));
  EXPECT_THAT(node(model, "norm1").input(), ElementsAre("norm1.tower0", "norm1.tower1"));
  EXPECT_EQ(attribute(node(model, "conv2"), "group").i(), 2);
}

TEST_F(Onnx, AlphaIsWhatTheFormatDividesBySize) {
  ModelOptions options = small_model();
  options.lrn_scope = "all";
  options.lrn_alpha = 3e-4;
  const onnx::Model model = written(options);
  const onnx::Node& norm = node(model, "norm1");
  EXPECT_EQ(norm.op_type(), "LRN");
  EXPECT_FLOAT_EQ(attribute(norm, "alpha").f(), 15e-4f);
  EXPECT_FLOAT_EQ(attribute(norm, "bias").f(), 2);
  EXPECT_FLOAT_EQ(attribute(norm, "beta").f(), 0.75f);
  EXPECT_EQ(attribute(norm, "size").i(), 5);
}

TEST_F(Onnx, PaddingRoundingAndStridesAreThoseOfTheNet) {
  ModelOptions options = small_model();
  options.conv1_pad_end = 1;
  const onnx::Model model = written(options);
  EXPECT_THAT(attribute(node(model, "conv1"), "pads").ints(), ElementsAre(2, 2, 3, 3));
  EXPECT_THAT(attribute(node(model, "conv1"), "kernel_shape").ints(), ElementsAre(5, 5));
  EXPECT_EQ(attribute(node(model, "pool1"), "ceil_mode").i(), 1);
  EXPECT_EQ(attribute(node(model, "fc6"), "transB").i(), 1);
}

TEST_F(Onnx, NormalisationThatDoesNothingAndDropoutAreNotThere) {
  ModelOptions options = small_model();
  options.lrn_alpha = 0;
  options.lrn_k = 1;
  options.order = "2012";
  options.spatial_norm = true;
  EXPECT_EQ(operators(written(options)),
            "Conv MaxPool Relu Conv Relu Mul AveragePool Mul Add Pow Div MaxPool "
            "Conv Relu Conv Relu Conv MaxPool Relu Flatten Gemm Relu Gemm Relu Gemm Identity ");
}

TEST_F(Onnx, BatchesAreOfAnySizeAndSoftmaxIsAChoice) {
  const onnx::Model model = written(small_model());
  const onnx::TensorShape& input = model.graph().input(0).type().tensor_type().shape();
  EXPECT_EQ(input.dim(0).dim_param(), "N");
  EXPECT_FALSE(input.dim(0).has_dim_value());
  EXPECT_EQ(input.dim(1).dim_value(), 3);
  EXPECT_EQ(input.dim(3).dim_value(), 24);
  EXPECT_EQ(model.graph().output(0).name(), "logits");
  EXPECT_EQ(model.graph().output(0).type().tensor_type().shape().dim(1).dim_value(), 5);
  EXPECT_EQ(model.metadata_props(0).key(), "classes");
  const onnx::Model probabilities = written(small_model(), true);
  EXPECT_EQ(probabilities.graph().output(0).name(), "probabilities");
  EXPECT_EQ(node(probabilities, "probabilities").op_type(), "Softmax");
}

TEST_F(Onnx, TheSameNetGivesTheSameBytes) {
  written(small_model());
  const std::string first = bytes_;
  written(small_model());
  EXPECT_EQ(first, bytes_);
}

TEST_F(Onnx, WeightsAreInitialisersOfTheirShape) {
  const onnx::Model model = written(small_model());
  const onnx::Tensor& weight = model.graph().initializer(0);
  EXPECT_EQ(weight.name(), "conv1.weight");
  EXPECT_EQ(weight.data_type(), 1);
  EXPECT_THAT(weight.dims(), ElementsAre(16, 3, 5, 5));
  ASSERT_EQ(weight.raw_data().size(), 1200u * 4);
  float value = 0;
  std::memcpy(&value, weight.raw_data().data() + 4796, 4);
  EXPECT_EQ(value, 0.25f);
}

TEST_F(Onnx, AnOutputHasANameThatNoLayerHas) {
  const NetSpec net = parse_net("input 24; conv 9 kernel 5 name probabilities; fc classes", "n", 4);
  EXPECT_EQ(written(net, false).graph().output(0).name(), "logits");
  const onnx::Model model = written(net, true);
  EXPECT_EQ(model.graph().output(0).name(), "probabilities_");
  EXPECT_EQ(node(model, "probabilities_").op_type(), "Softmax");
}

}  // namespace
}  // namespace convoy
