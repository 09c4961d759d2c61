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
//
// The file ends with a seal (io/files/seal.h) over all but the images.
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "io/dataset/dataset.h"

namespace convoy {

struct ShardContent {
  Encoding encoding = Encoding::raw;
  std::int64_t image_size = 0;           // S
  std::span<const std::uint8_t> images;  // [n, S, S, 3], or the JPEG files one after the other
  std::vector<std::uint64_t> offsets;    // [n+1] of JPEG files; empty for raw images
  std::vector<std::int32_t> labels;      // [n]
  std::vector<std::string> ids;          // [n]
  std::vector<std::uint32_t> checksums;  // [n]
};

// Written aside, sealed, synced and renamed; images at whole pages of memory
// (io/files/page_memory.h) go past the page cache. Throws Error(resource).
void write_shard(const std::filesystem::path& path, const ShardContent& content);

// One number for all images and labels of a shard, kept in the index.
[[nodiscard]] std::uint32_t shard_checksum(std::span<const std::uint32_t> checksums,
                                           std::span<const std::int32_t> labels);

// To be called before a shard is opened: HDF5 does not survive every damaged file. True for a file
// that is sealed and whole; false for one made by another tool, which has no seal and not the
// `bytes` of the file that was packed. Throws Error(bad_data) for any other.
[[nodiscard]] bool check_shard_seal(const std::filesystem::path& path, std::int64_t bytes);

}  // namespace convoy
