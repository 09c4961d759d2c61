// Caffe's files: .caffemodel, a net with its weights, .prototxt, the net alone, and .binaryproto, a
// mean image.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <vector>

#include "io/model/model_file.h"

namespace convoy {

// The net without weights, as text: what Caffe and its readers want beside a .caffemodel. Throws
// as write_caffemodel().
void write_prototxt(const std::filesystem::path& path, const NetSpec& net);

// The places of `model` are those of TensorNames::caffe. Throws Error(usage) for a layer that Caffe
// does not have (more padding at one end than at the other), Error(resource).
void write_caffemodel(const std::filesystem::path& path, const OutgoingModel& model);

// Files of today's form and of that before 2014 (bvlc_alexnet). Tensors have the names of
// TensorNames::caffe. Throws Error(bad_checkpoint) where a blob has more or fewer values than its
// shape says.
[[nodiscard]] std::unique_ptr<ModelFile> open_caffemodel(const std::filesystem::path& path);

struct MeanImage {
  std::int64_t size = 0;      // S
  std::vector<float> pixels;  // [S, S, 3] RGB, 0..255
};
void write_caffe_mean(const std::filesystem::path& path, const MeanImage& mean);
// Throws Error(bad_checkpoint) for anything but three square planes of finite numbers.
[[nodiscard]] MeanImage read_caffe_mean(const std::filesystem::path& path);

}  // namespace convoy
