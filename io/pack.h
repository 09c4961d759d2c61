// `convoy pack`: class folders of images -> an HDF5 dataset (DESIGN of the format: README).
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace convoy {

struct PackOptions {
  std::filesystem::path input;    // a folder of class folders
  std::filesystem::path output;   // created; refused where it already holds a dataset
  std::int64_t size = 256;        // shorter side after resizing, then centre crop [size, size]
  std::int64_t shard_images = 0;  // images per shard; 0 = about 256 MiB a shard
  std::uint64_t seed = 1;         // of the shuffle over shards
  int threads = 0;                // decoding threads; 0 = cores
  std::filesystem::path classes;  // a dataset or text file whose class list is used; empty: folders
};

struct PackIssue {
  std::string file;       // relative to the input
  bool left_out = false;  // else packed after a repair or conversion
  std::string what;  // "PNG data under a JPEG name", "CMYK converted", "cannot be decoded: ..."
};

struct PackReport {
  std::int64_t packed = 0;
  std::int64_t left_out = 0;
  std::int64_t shards = 0;
  std::int64_t classes = 0;
  std::vector<PackIssue> issues;
};

// Writes shards, then report.jsonl (one issue a line), then index.h5. Every file is written aside,
// synced and renamed; the index comes last, so a folder without one is not a dataset. Progress goes
// to standard error. Throws Error(bad_data) for an input without images or an empty class folder,
// Error(usage) for an output that is in use, Error(resource) for a full disk.
PackReport pack(const PackOptions& options);

}  // namespace convoy
