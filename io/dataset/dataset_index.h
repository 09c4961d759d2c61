// index.h5 of a dataset: all that is known about it without opening a shard.
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "io/dataset/dataset.h"

namespace convoy {

struct ShardEntry {
  std::string file;  // beside the index
  std::int64_t images = 0;
  std::uint32_t checksum = 0;  // see shard_checksum in io/dataset/shard.h
  // Of the file as it was packed, 0 where another tool made it; write_index looks, read_index says.
  std::int64_t bytes = 0;
};

struct DatasetIndex {
  std::int64_t image_size = 0;  // S
  std::vector<ClassInfo> classes;
  std::vector<std::int64_t> class_counts;
  std::vector<float> mean_image;  // [S, S, 3] RGB
  std::array<double, 3> mean_rgb{};
  ColourPca pca;
  Encoding encoding = Encoding::raw;
  std::vector<ShardEntry> shards;
  // Of all images in the order of the shards, where shards of others have none; otherwise empty.
  std::vector<std::uint32_t> image_checksums;
  std::string description;  // the command that made it

  [[nodiscard]] std::int64_t images() const;
  // Sixteen hex digits over classes, counts and the shards' checksums.
  [[nodiscard]] std::string fingerprint() const;
};

[[nodiscard]] std::filesystem::path index_path(const std::filesystem::path& dataset);

// Written aside, sealed (io/files/seal.h), synced and renamed; the shards must be there. Throws
// Error(resource).
void write_index(const std::filesystem::path& dataset, const DatasetIndex& index);

// Checks the seal before anything else. Throws Error(bad_data), naming the file and what is wrong
// with it.
[[nodiscard]] DatasetIndex read_index(const std::filesystem::path& dataset);

}  // namespace convoy
