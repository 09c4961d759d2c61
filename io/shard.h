// One shard of a dataset: an HDF5 file of equally large images with labels, names and checksums.
//
//   images  uint8 [n, S, S, 3]  contiguous, RGB
//   or, with the attribute encoding = "jpeg" instead of "raw" (the same as none):
//   bytes   uint8 [total]       contiguous: n JPEG files of S x S pixels, one after the other
//   offsets uint64 [n+1]        image i is the bytes [offsets[i], offsets[i+1])
//   labels  int32 [n]
//   ids     strings [n]         where the images came from
//   crc32c  uint32 [n]          of each image's bytes as they are stored
//   attribute format = "convoy-shard/1"
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

namespace convoy {

struct ShardContent {
  std::int64_t image_size = 0;           // S
  std::span<const std::uint8_t> images;  // [n, S, S, 3]
  std::vector<std::int32_t> labels;      // [n]
  std::vector<std::string> ids;          // [n]
  std::vector<std::uint32_t> checksums;  // [n]
};

// Written aside, synced and renamed. Throws Error(resource).
void write_shard(const std::filesystem::path& path, const ShardContent& content);

// One number for all images and labels of a shard, kept in the index.
[[nodiscard]] std::uint32_t shard_checksum(std::span<const std::uint32_t> checksums,
                                           std::span<const std::int32_t> labels);

}  // namespace convoy
