// All that training and evaluation take from a dataset and from a checkpoint, to be compared.
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <tuple>
#include <vector>

#include "io/dataset/dataset.h"

namespace convoy::faults {

struct DatasetContent {
  std::vector<std::uint8_t> pixels;
  std::vector<std::int32_t> labels;
  std::vector<ClassInfo> classes;
  std::vector<std::int64_t> class_counts;
  std::vector<float> mean_image;
  std::array<double, 3> mean_rgb{};
  std::array<double, 3> pca_deviations{};
  std::array<std::array<double, 3>, 3> pca_vectors{};
  std::string fingerprint;
  friend bool operator==(const DatasetContent&, const DatasetContent&) = default;
};
[[nodiscard]] DatasetContent read_dataset(const std::filesystem::path& folder);

struct CheckpointContent {
  std::map<std::string, std::vector<float>> tensors;  // by "layer/kind"
  std::int64_t step = 0;
  std::int64_t epoch = 0;
  std::string config;
  std::string fingerprint;
  std::vector<ClassInfo> classes;
  std::vector<float> mean_image;
  std::array<double, 3> pca_deviations{};
  std::array<std::array<double, 3>, 3> pca_vectors{};
  // Of ContinuationInfo: batch, the plateau's drops, steps waited and best, best top-1, kernels,
  // strategy, ranks.
  std::tuple<std::int64_t, std::int64_t, std::int64_t, double, double, std::string, std::string,
             std::int64_t>
      continuation;
  friend bool operator==(const CheckpointContent&, const CheckpointContent&) = default;
};
[[nodiscard]] CheckpointContent read_checkpoint(const std::filesystem::path& path);

// 15 small images of 3 classes as class folders in `folder`, and packed into two shards.
void make_images(const std::filesystem::path& folder);
void pack_images(const std::filesystem::path& images, const std::filesystem::path& output,
                 const std::string& encoding = "raw");
inline constexpr std::int64_t image_size = 20;
inline constexpr std::int64_t shard_images = 8;

// Two layers with velocities, whose values begin with `first`; the dataset is the run's.
void write_checkpoint(const std::filesystem::path& path, const std::filesystem::path& dataset,
                      std::int64_t step, float first);

}  // namespace convoy::faults
