// Caffe's files: both forms of a net, nets that are others, blobs that lie, means.
#include "io/model/caffe.h"

#include <algorithm>

#include <caffe.pb.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/net/description.h"
#include "core/recipe.h"
#include "io/files/temporary_folder.h"
#include "io/model/caffe_net.h"
#include "tests/io/model/small_net.h"
#include "tests/io/support/expect_error.h"

namespace convoy {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;

const std::string& type_of(const caffe::Net& net, const std::string& name) {
  for (const caffe::Layer& layer : net.layer())
    if (layer.name() == name) return layer.type();
  static const std::string none;
  return none;
}

const caffe::Layer& layer_of(const caffe::Net& net, const std::string& name) {
  for (const caffe::Layer& layer : net.layer())
    if (layer.name() == name) return layer;
  throw std::runtime_error("no layer " + name);
}

ModelOptions caffe_model() {
  ModelOptions model = find_recipe("caffe").model;
  model.classes = 1000;
  return model;
}

class Caffe : public testing::Test {
 protected:
  std::filesystem::path file(const google::protobuf::Message& message) const {
    return file_of_bytes(folder_.path() / "net.caffemodel", message.SerializeAsString());
  }
  // The small net's file with something changed.
  void refused(const std::function<void(caffe::Net&)>& change,
               std::initializer_list<std::string> words) const {
    const NetSpec net = build_alexnet(small_model());
    caffe::Net described = caffe_net(net);
    change(described);
    const std::filesystem::path path = file(described);
    expect_error(ExitCode::bad_checkpoint, words, [&] { open_caffemodel(path)->require_net(net); });
  }
  TemporaryFolder folder_;
};

TEST_F(Caffe, DescribesAlexNetAsItsOwnFileDoes) {
  const caffe::Net net = caffe_net(build_alexnet(caffe_model()));
  std::vector<std::string> layers;
  for (const caffe::Layer& layer : net.layer()) layers.push_back(layer.name());
  EXPECT_THAT(layers,
              ElementsAre("data", "conv1", "relu1", "norm1", "pool1", "conv2", "relu2", "norm2",
                          "pool2", "conv3", "relu3", "conv4", "relu4", "conv5", "relu5", "pool5",
                          "fc6", "relu6", "drop6", "fc7", "relu7", "drop7", "fc8"));
  EXPECT_EQ(type_of(net, "fc6"), "InnerProduct");
  EXPECT_EQ(layer_of(net, "conv2").convolution_param().group(), 2u);
  EXPECT_EQ(layer_of(net, "conv2").convolution_param().pad(0), 2u);
  EXPECT_FLOAT_EQ(layer_of(net, "norm1").lrn_param().alpha(), 1e-4f) << "divided there";
  EXPECT_FALSE(layer_of(net, "pool1").pooling_param().has_round_mode());
}

TEST_F(Caffe, TowersAreSlicedNormalisedAndConcatenated) {
  const caffe::Net net = caffe_net(build_alexnet(small_model()));
  EXPECT_THAT(layer_of(net, "norm1_slice").top(), ElementsAre("norm1_slice0", "norm1_slice1"));
  EXPECT_THAT(layer_of(net, "norm1_tower1").bottom(), ElementsAre("norm1_slice1"));
  EXPECT_THAT(layer_of(net, "norm1").bottom(), ElementsAre("norm1_tower0", "norm1_tower1"));
  EXPECT_THAT(layer_of(net, "pool1").bottom(), ElementsAre("norm1"));
  EXPECT_FLOAT_EQ(layer_of(net, "norm1_tower0").lrn_param().alpha(), 5e-4f);
}

// Names that Caffe's nets have beside those of the layers: none of them is given twice.
TEST_F(Caffe, NamesOfLayersDoNotMeetThoseOfOtherParts) {
  const NetSpec spec = parse_net(
      "input 24; towers 2; conv 16 kernel 5 relu name data; lrn name n; relu name n_slice;"
      "conv 16 kernel 3 relu name relu; fc 8 relu name n_slice1; fc 8 relu name n_tower0; fc "
      "classes",
      "n", 4);
  const caffe::Net net = caffe_net(spec);
  std::vector<std::string> layers;
  std::vector<std::string> values;
  for (const caffe::Layer& layer : net.layer()) {
    layers.push_back(layer.name());
    for (const std::string& bottom : layer.bottom()) EXPECT_THAT(values, Contains(bottom));
    for (const std::string& top : layer.top()) values.push_back(top);
  }
  for (std::vector<std::string>* names : {&layers, &values}) {
    std::ranges::sort(*names);
    EXPECT_EQ(std::ranges::adjacent_find(*names), names->end()) << testing::PrintToString(*names);
  }
  EXPECT_EQ(net.layer(0).name(), "data_");
  EXPECT_EQ(type_of(net, "data"), "Convolution");
}

TEST_F(Caffe, WhatItCannotSayIsRefused) {
  ModelOptions model = small_model();
  model.conv1_pad_end = 1;
  expect_error(ExitCode::usage, {"conv1 is padded by 2 on one side and by 3 on the other"},
               [&] { static_cast<void>(caffe_net(build_alexnet(model))); });
}

TEST_F(Caffe, TheOldFormIsRead) {
  caffe::Net old;
  caffe::OldLayer& data = *old.add_layers();
  data.set_name("data");
  data.set_type(5);
  caffe::OldLayer& fc = *old.add_layers();
  fc.set_name("fc");
  fc.set_type(14);
  fc.mutable_inner_product_param()->set_num_output(2);
  caffe::Blob& weight = *fc.add_blobs();
  weight.set_num(1);
  weight.set_channels(1);
  weight.set_height(2);
  weight.set_width(3);
  for (int i = 0; i < 6; ++i) weight.add_data(static_cast<float>(i));
  caffe::Blob& bias = *fc.add_blobs();
  bias.set_num(1);
  bias.set_channels(1);
  bias.set_height(1);
  bias.set_width(2);
  bias.add_double_data(0.5);
  bias.add_double_data(1.5);
  const auto read = open_caffemodel(file(old));
  ASSERT_EQ(read->tensors().size(), 2u);
  EXPECT_EQ(read->tensors()[0].name, "fc.weight");
  EXPECT_THAT(read->tensors()[0].extents, ElementsAre(2, 3));
  EXPECT_THAT(read->tensors()[1].extents, ElementsAre(2));
  EXPECT_THAT(read->read(0), ElementsAre(0, 1, 2, 3, 4, 5));
  EXPECT_THAT(read->read(1), ElementsAre(0.5f, 1.5f));

  NetSpec net;
  net.input = {1, 1, 1, 3};
  net.layers = {{"fc", FullyConnectedLayer{2, false, {}}, {1, 1, 1, 3}, {1, 1, 1, 2}}};
  EXPECT_NO_THROW(read->require_net(net));
}

TEST_F(Caffe, AnotherNetIsRefusedWithTheFirstLayerThatDiffers) {
  const NetSpec net = build_alexnet(small_model());
  EXPECT_NO_THROW(open_caffemodel(file(caffe_net(net)))->require_net(net));
  // CaffeNet pools before it normalises.
  refused(
      [](caffe::Net& described) {
        int pool = 0;
        while (described.layer(pool).name() != "pool1") ++pool;
        for (int i = pool; described.layer(i - 1).name() != "relu1"; --i)
          described.mutable_layer()->SwapElements(i, i - 1);
      },
      {"net.caffemodel holds another net: it has 'pool1' (Pooling by maximum",
       "norm1_tower0 (LRN"});
  const auto conv = [](const std::function<void(caffe::Convolution&)>& change) {
    return [change](caffe::Net& described) {
      for (caffe::Layer& layer : *described.mutable_layer())
        if (layer.name() == "conv2") change(*layer.mutable_convolution_param());
    };
  };
  refused(conv([](auto& c) { c.add_stride(2); }), {"'conv2'", "stride 2", "stride 1"});
  refused(conv([](auto& c) { c.set_stride_h(2); }), {"stride another one each way"});
  refused(conv([](auto& c) { c.clear_pad(); }), {"'conv2'", "pad 0", "pad 2"});
  refused(conv([](auto& c) { c.clear_group(); }), {"'conv2'", "1 group(s)", "2 group(s)"});
  refused(conv([](auto& c) { c.add_kernel_size(3); }), {"another size each way"});
  refused([](caffe::Net& described) { described.add_layer()->set_type("ReLU"); },
          {"it has '' (ReLU)", "an end (no further layer)"});
  refused([](caffe::Net& described) { described.mutable_layer()->RemoveLast(); },
          {"it has an end", "fc8 (InnerProduct of 5 neurons)"});
  refused(
      [](caffe::Net& described) {
        described.mutable_layer(1)->set_type("BatchNorm");
        described.mutable_layer(1)->set_name("bn1");
      },
      {"the layer 'bn1' of type BatchNorm, which no net of Convoy's has"});
  refused(
      [](caffe::Net& described) {
        for (caffe::Layer& layer : *described.mutable_layer())
          if (layer.has_lrn_param()) layer.mutable_lrn_param()->set_k(1);
      },
      {"'norm1_tower0' (LRN across 5, alpha 0.0005, beta 0.75, k 1)", "k 2)"});
  refused(
      [](caffe::Net& described) {
        for (caffe::Layer& layer : *described.mutable_layer())
          if (layer.name() == "pool1") layer.mutable_pooling_param()->set_round_mode(1);
      },
      {"'pool1' makes 11x11 maps of 24x24, and pool1 makes 12x12", "--model.pool-round-up",
       "in a net's description: round-up"});
}

TEST_F(Caffe, BlobsThatLieAreRefused) {
  const auto refused_blob = [&](const std::function<void(caffe::Blob&)>& fill,
                                std::initializer_list<std::string> words) {
    caffe::Net net;
    caffe::Layer& layer = *net.add_layer();
    layer.set_name("fc8");
    layer.set_type("InnerProduct");
    fill(*layer.add_blobs());
    const std::filesystem::path path = file(net);
    expect_error(ExitCode::bad_checkpoint, words,
                 [&] { static_cast<void>(open_caffemodel(path)); });
  };
  refused_blob(
      [](caffe::Blob& blob) {
        blob.mutable_shape()->add_dim(3);
        blob.add_data(1);
      },
      {"fc8.weight has the shape [3] and 1 values"});
  refused_blob(
      [](caffe::Blob& blob) {
        for (int i = 0; i < 4; ++i) blob.mutable_shape()->add_dim(std::int64_t{1} << 32);
        blob.add_data(1);
      },
      {"and 1 values"});
  refused_blob([](caffe::Blob& blob) { blob.set_num(-1); }, {"[-1, 0, 0, 0] and 0 values"});
  file_of_bytes(folder_.path() / "net.caffemodel", "not a net");
  expect_error(ExitCode::bad_checkpoint, {"is not a whole caffemodel"},
               [&] { static_cast<void>(open_caffemodel(folder_.path() / "net.caffemodel")); });
  file_of_bytes(folder_.path() / "net.caffemodel", "");
  expect_error(ExitCode::bad_checkpoint, {"it has no layers"},
               [&] { static_cast<void>(open_caffemodel(folder_.path() / "net.caffemodel")); });
}

TEST_F(Caffe, AMeanImageKeepsItsColoursAndPlaces) {
  MeanImage mean{4, {}};
  for (int i = 0; i < 48; ++i) mean.pixels.push_back(static_cast<float>(i));
  const auto path = folder_.path() / "mean.binaryproto";
  write_caffe_mean(path, mean);
  caffe::Blob blob;
  ASSERT_TRUE(blob.ParseFromString(bytes_of_file(path)));
  EXPECT_EQ(blob.data(0), 2) << "blue of the first pixel";
  EXPECT_EQ(blob.data(1), 5);
  EXPECT_EQ(blob.data(32), 0) << "red";
  const MeanImage read = read_caffe_mean(path);
  EXPECT_EQ(read.size, 4);
  EXPECT_EQ(read.pixels, mean.pixels);

  blob.set_width(8);
  file_of_bytes(path, blob.SerializeAsString());
  expect_error(ExitCode::bad_checkpoint, {"is not a mean image: it has the shape [1, 3, 4, 8]"},
               [&] { static_cast<void>(read_caffe_mean(path)); });
  blob.set_width(4);
  blob.set_data(7, NAN);
  file_of_bytes(path, blob.SerializeAsString());
  expect_error(ExitCode::bad_checkpoint, {"values that are not finite"},
               [&] { static_cast<void>(read_caffe_mean(path)); });
}

}  // namespace
}  // namespace convoy
