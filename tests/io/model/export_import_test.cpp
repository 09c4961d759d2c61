// Whole nets out and in again: the same values, classes, mean and bytes; and what is refused.
#include <cmath>

#include <caffe.pb.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "io/files/temporary_folder.h"
#include "io/model/caffe.h"
#include "io/model/export.h"
#include "io/model/import.h"
#include "io/model/metadata.h"
#include "io/model/safetensors.h"
#include "tests/io/model/small_net.h"
#include "tests/io/support/expect_error.h"

namespace convoy {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;

class ExportImport : public testing::Test {
 protected:
  ExportImport() { small_checkpoint(folder_.path() / "net.h5", net_); }

  fs::path path(const std::string& name) const { return folder_.path() / name; }
  ExportReport out(const std::string& name, const std::string& names = "",
                   const std::string& from = "net.h5", bool softmax = false) const {
    return export_model(CheckpointReader(path(from)), net_, preprocess_,
                        {path(name), names, softmax});
  }
  void in(const std::string& name, TensorNames names, const CheckpointInfo& info = small_info(),
          const std::string& to = "back.h5") const {
    import_model(*open_model(path(name)), net_, names, preprocess_.bgr, info, path(to));
  }
  void same_values(const fs::path& a, const fs::path& b) const {
    const CheckpointReader one(a);
    const CheckpointReader other(b);
    for (const LayerSpec& layer : net_.layers) {
      if (layer.weight_shape().n == 0) continue;
      for (const auto& [kind, shape] :
           {std::pair("weight", layer.weight_shape()), std::pair("bias", layer.bias_shape())}) {
        std::vector<float> first(static_cast<std::size_t>(shape.count()));
        std::vector<float> second(first.size());
        one.read(layer.name, kind, shape, {0, shape.n}, first.data());
        other.read(layer.name, kind, shape, {0, shape.n}, second.data());
        EXPECT_EQ(first, second) << layer.name << " " << kind;
      }
    }
  }
  void absent(const std::string& name) const {
    for (const auto& entry : fs::directory_iterator(folder_.path()))
      EXPECT_FALSE(entry.path().filename().string().starts_with(name)) << entry.path();
  }

  TemporaryFolder folder_;
  NetSpec net_ = build_alexnet(small_model());
  PreprocessOptions preprocess_;
};

TEST_F(ExportImport, EverythingComesBackAndLeavesAsTheSameBytes) {
  for (const char* names : {"torch", "convoy"}) {
    static_cast<void>(out("a.safetensors", names));
    const auto info = info_in(open_model(path("a.safetensors"))->metadata(), "a");
    ASSERT_TRUE(info);
    in("a.safetensors", tensor_names(names), *info);
    same_values(path("net.h5"), path("back.h5"));
    static_cast<void>(out("b.safetensors", names, "back.h5"));
    EXPECT_EQ(bytes_of_file(path("a.safetensors")), bytes_of_file(path("b.safetensors")));
  }
  for (const bool bgr : {false, true}) {
    preprocess_.bgr = bgr;
    static_cast<void>(out("a.caffemodel"));
    in("a.caffemodel", TensorNames::caffe);
    same_values(path("net.h5"), path("back.h5"));
    static_cast<void>(out("b.caffemodel", "", "back.h5"));
    EXPECT_EQ(bytes_of_file(path("a.caffemodel")), bytes_of_file(path("b.caffemodel")));
  }
}

// bvlc_alexnet is such a file: `layers` instead of `layer`, types as numbers, four extents a blob.
TEST_F(ExportImport, ACaffemodelOfTheOldFormGivesTheSameValues) {
  static_cast<void>(out("a.caffemodel"));
  caffe::Net now;
  ASSERT_TRUE(now.ParseFromString(bytes_of_file(path("a.caffemodel"))));
  const std::map<std::string, int> types{{"Input", 5},  {"Convolution", 4}, {"ReLU", 18},
                                         {"LRN", 15},   {"Pooling", 17},    {"Slice", 33},
                                         {"Concat", 3}, {"Dropout", 6},     {"InnerProduct", 14}};
  caffe::Net old;
  for (caffe::Layer& layer : *now.mutable_layer()) {
    caffe::OldLayer& to = *old.add_layers();
    to.set_name(layer.name());
    to.set_type(types.at(layer.type()));
    if (layer.has_convolution_param()) *to.mutable_convolution_param() = layer.convolution_param();
    if (layer.has_lrn_param()) *to.mutable_lrn_param() = layer.lrn_param();
    if (layer.has_pooling_param()) *to.mutable_pooling_param() = layer.pooling_param();
    if (layer.has_inner_product_param())
      *to.mutable_inner_product_param() = layer.inner_product_param();
    for (caffe::Blob& blob : *layer.mutable_blobs()) {
      std::vector<std::int64_t> extents(4, 1);
      std::copy_backward(blob.shape().dim().begin(), blob.shape().dim().end(), extents.end());
      blob.clear_shape();
      blob.set_num(extents[0]);
      blob.set_channels(extents[1]);
      blob.set_height(extents[2]);
      blob.set_width(extents[3]);
      *to.add_blobs() = blob;
    }
  }
  file_of_bytes(path("old.caffemodel"), old.SerializeAsString());
  in("old.caffemodel", TensorNames::caffe);
  same_values(path("net.h5"), path("back.h5"));
}

TEST_F(ExportImport, AllFilesAreWrittenOrNone) {
  fs::create_directory(path("a.prototxt"));
  expect_error(ExitCode::usage, {"a.prototxt is a folder"},
               [&] { static_cast<void>(out("a.caffemodel")); });
  absent("a.c");
  absent("a.b");
  fs::create_directory(path("b.py"));
  expect_error(ExitCode::usage, {"b.py is a folder"},
               [&] { static_cast<void>(out("b.safetensors", "torch")); });
  absent("b.s");
}

TEST_F(ExportImport, SomebodysOwnModuleIsNotOverwritten) {
  file_of_bytes(path("train.py"), "import torch\n");
  expect_error(ExitCode::usage, {"train.py would be overwritten"},
               [&] { static_cast<void>(out("train.safetensors", "torch")); });
  EXPECT_EQ(bytes_of_file(path("train.py")), "import torch\n");
  absent("train.s");
  absent("train.py.");
  static_cast<void>(out("net.safetensors", "torch"));
  static_cast<void>(out("net.safetensors", "torch"));  // its own is
}

TEST_F(ExportImport, MetadataHoldWhatACheckpointHolds) {
  static_cast<void>(out("a.safetensors"));
  const CheckpointInfo before = small_info();
  const CheckpointInfo info = *info_in(open_model(path("a.safetensors"))->metadata(), "a");
  EXPECT_EQ(info.step, before.step);
  EXPECT_EQ(info.epoch, before.epoch);
  EXPECT_EQ(info.config, before.config);
  EXPECT_EQ(info.fingerprint, before.fingerprint);
  EXPECT_EQ(info.classes, before.classes);
  EXPECT_EQ(info.image_size, before.image_size);
  EXPECT_EQ(info.mean_image, before.mean_image);
  EXPECT_EQ(info.pca.deviations, before.pca.deviations);
  EXPECT_EQ(info.pca.vectors, before.pca.vectors);
  EXPECT_FALSE(info.continuation);
}

TEST_F(ExportImport, MetadataSayHowPixelsBecomeInput) {
  const auto told = [&](TensorNames names) {
    const Metadata metadata = metadata_of(small_info(), preprocess_, net_, names);
    return nlohmann::json::parse(metadata.at("preprocessing"));
  };
  auto json = told(TensorNames::torch);
  EXPECT_EQ(json["crop"], 24);
  EXPECT_EQ(json["stored_size"], 32);
  EXPECT_EQ(json["channels"], "RGB");
  EXPECT_EQ(json["mean"], "mean_image");
  EXPECT_FALSE(json.contains("mean_rgb"));
  preprocess_.bgr = true;
  EXPECT_EQ(told(TensorNames::torch)["channels"], "RGB") << "conv1's channels were turned";
  EXPECT_EQ(told(TensorNames::convoy)["channels"], "BGR");
  preprocess_.mean = "none";
  EXPECT_EQ(told(TensorNames::torch)["mean_rgb"], (std::vector<double>{0, 0, 0}));
  preprocess_.mean = "channel";  // of 0, 1, 2, ... sevenths: the middle one is 1535.5 / 7
  EXPECT_NEAR(told(TensorNames::torch)["mean_rgb"][1], 1535.5 / 7, 1e-4);
  preprocess_.unit_scale = true;
  json = told(TensorNames::torch);
  EXPECT_NEAR(json["mean_rgb"][0], 255 * 0.485, 1e-4);
  EXPECT_NEAR(json["std_rgb"][2], 255 * 0.225, 1e-4);
}

TEST_F(ExportImport, WhatIsWrittenBesideDependsOnTheFormat) {
  EXPECT_THAT(out("a.safetensors").files, ElementsAre(path("a.safetensors"), path("a.py")));
  EXPECT_THAT(out("a.safetensors", "convoy").files, ElementsAre(path("a.safetensors")));
  EXPECT_THAT(out("a.onnx").files, ElementsAre(path("a.onnx")));
  EXPECT_THAT(out("a.caffemodel").files,
              ElementsAre(path("a.caffemodel"), path("a.prototxt"), path("a.binaryproto")));
  const MeanImage mean = read_caffe_mean(path("a.binaryproto"));
  EXPECT_EQ(mean.pixels, small_info().mean_image);
  EXPECT_THAT(bytes_of_file(path("a.prototxt")), HasSubstr("type: \"Convolution\""));
  preprocess_.unit_scale = true;
  EXPECT_THAT(out("b.caffemodel").files, ElementsAre(path("b.caffemodel"), path("b.prototxt")));
  EXPECT_THAT(out("b.caffemodel").notes, ElementsAre(HasSubstr("data.unit-scale")));
}

TEST_F(ExportImport, OptionsThatDoNotGoTogetherAreRefused) {
  const auto refused = [&](const std::string& name, const std::string& names, bool softmax,
                           std::initializer_list<std::string> words) {
    expect_error(ExitCode::usage, words,
                 [&] { static_cast<void>(out(name, names, "net.h5", softmax)); });
    absent(name);
  };
  refused("a.pt", "", false,
          {"a.pt does not say its format", ".safetensors, .onnx or .caffemodel"});
  refused("a.onnx", "torch", false, {"--names torch is for .safetensors"});
  refused("a.safetensors", "torch", true, {"--softmax is for .onnx"});
  refused("a.safetensors", "torchvision", false, {"it has conv1", "--names torch"});
}

TEST_F(ExportImport, NotANumberIsSaidAndNothingIsLeft) {
  CheckpointInfo info = small_info();
  const Shape shape = net_.layers[0].weight_shape();
  std::vector<float> values(static_cast<std::size_t>(shape.count()), 1);
  values[7] = NAN;
  values[9] = INFINITY;
  {
    CheckpointWriter writer(path("nan.h5"), info);
    writer.create("conv1", "weight", shape);
    writer.write("conv1", "weight", {0, shape.n}, values.data());
    writer.finish();
  }
  for (const char* name : {"a.safetensors", "a.onnx", "a.caffemodel"}) {
    expect_error(ExitCode::bad_checkpoint,
                 {"conv1.weight of the checkpoint holds 2 values that are not finite, the first "
                  "(nan) at 7 of 1200"},
                 [&] { static_cast<void>(out(name, "", "nan.h5")); });
    absent(name);
  }
}

TEST_F(ExportImport, AFileThatDoesNotFitIsRefusedAndNothingIsLeft) {
  OutgoingModel model{net_, tensor_places(net_, TensorNames::torch, false), {}, {}};
  model.values = [](const TensorPlace& place) {
    std::vector<float> values(static_cast<std::size_t>(place.shape.count()), 1);
    if (place.name == "fc8.bias") values[1] = -INFINITY;
    return values;
  };
  const auto refused = [&](std::initializer_list<std::string> words) {
    write_safetensors(path("a.safetensors"), model);
    expect_error(ExitCode::bad_checkpoint, words, [&] { in("a.safetensors", TensorNames::torch); });
    absent("back.h5");
  };
  refused({"fc8.bias of", "a value that is not finite, the first (-inf) at 1 of 5"});
  model.places[2].extents = {16, 40, 5};
  refused({"conv2.weight of", "has the shape [16, 40, 5]", "weight of conv2", "has [16, 8, 5, 5]"});
  model.places[2].extents = {16, 8, 5, 5};
  model.places[3].name = "conv9.bias";
  refused({"holds no conv2.bias, which should be the bias of conv2"});
  model.places[3].name = "conv2.bias";
  model.places.push_back({"", "", {1, 1, 1, 2}, "extra", {2, 1}});
  refused({"holds extra [2, 1], which the net that the options describe does not have"});
  expect_error(ExitCode::usage, {"a.onnx cannot be imported", "only writes .onnx"},
               [&] { static_cast<void>(open_model("a.onnx")); });
}

TEST_F(ExportImport, MetadataThatAreNotConvoysAreRefused) {
  Metadata metadata = metadata_of(small_info(), preprocess_, net_, TensorNames::torch);
  EXPECT_TRUE(info_in(metadata, "x"));
  EXPECT_EQ(names_in(metadata), TensorNames::torch);
  EXPECT_FALSE(info_in({{"format", "pt"}}, "x"));
  EXPECT_FALSE(names_in({{"format", "pt"}}));
  for (const auto& [key, value] :
       std::vector<std::pair<std::string, std::string>>{{"convoy", "{}"},
                                                        {"convoy", "["},
                                                        {"classes", "3"},
                                                        {"words", "[]"},
                                                        {"mean_image", "1,2"},
                                                        {"mean_image", "1,x"}}) {
    Metadata changed = metadata;
    changed[key] = value;
    expect_error(ExitCode::bad_checkpoint, {"x.safetensors", "not as Convoy writes them"},
                 [&] { static_cast<void>(info_in(changed, "x.safetensors")); });
  }
}

}  // namespace
}  // namespace convoy
