// A small net of AlexNet's form, and a checkpoint of it whose values tell their places.
#pragma once

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "core/net/spec.h"
#include "core/options.h"
#include "io/run/checkpoint.h"

namespace convoy {

// Two towers, 28x28 pixels, 2x2 pixels before fc6, five classes.
inline ModelOptions small_model() {
  ModelOptions model;
  model.input = 24;
  model.classes = 5;
  model.kernels = {16, 16, 16, 16, 16};
  model.neurons = {16, 16};
  model.conv1_kernel = 5;
  model.conv1_stride = 1;
  model.conv1_pad = 2;
  return model;
}

inline CheckpointInfo small_info() {
  CheckpointInfo info;
  info.step = 12;
  info.epoch = 3;
  info.config = "[model]\ntowers = 2\n";
  info.fingerprint = "0123abcd";
  for (const char* name : {"a", "b", "crème", "\"d\"", "e"})
    info.classes.push_back({name, "words"});
  info.image_size = 32;
  for (int i = 0; i < 32 * 32 * 3; ++i) info.mean_image.push_back(static_cast<float>(i) / 7);
  info.pca.deviations = {1.0 / 3, 2, 3};
  info.pca.vectors = {{{1, 0, 0}, {0, 0.6, -0.8}, {0, 0.8, 0.6}}};
  return info;
}

// The value at `index` of a tensor: its place, with a fraction that dropout's scale has to keep.
inline float small_value(std::size_t layer, bool bias, std::size_t index) {
  return static_cast<float>(1000 * layer + (bias ? 500 : 0)) +
         static_cast<float>(index % 4001) / 4099;
}

// Beside weight and bias, each layer has something that the solver keeps, which does not travel.
inline std::filesystem::path small_checkpoint(const std::filesystem::path& path,
                                              const NetSpec& net) {
  CheckpointWriter writer(path, small_info());
  std::size_t number = 0;
  for (const LayerSpec& layer : net.layers) {
    if (layer.weight_shape().n == 0) continue;
    ++number;
    for (const bool bias : {false, true}) {
      const Shape shape = bias ? layer.bias_shape() : layer.weight_shape();
      std::vector<float> values(static_cast<std::size_t>(shape.count()));
      for (std::size_t i = 0; i < values.size(); ++i) values[i] = small_value(number, bias, i);
      const std::string kind = bias ? "bias" : "weight";
      for (const std::string& suffix : {std::string(), std::string("_velocity")}) {
        writer.create(layer.name, kind + suffix, shape);
        writer.write(layer.name, kind + suffix, {0, shape.n}, values.data());
      }
    }
  }
  writer.finish();
  return path;
}

inline std::string bytes_of_file(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

inline std::filesystem::path file_of_bytes(const std::filesystem::path& path,
                                           const std::string& bytes) {
  std::ofstream(path, std::ios::binary | std::ios::trunc) << bytes;
  return path;
}

}  // namespace convoy
