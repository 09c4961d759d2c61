// What is known about a finished shard until the index is written: a side file beside it, so that
// packing can go on after a kill, and other ranks' shards can be taken into the index.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "io/dataset/dataset_index.h"
#include "io/pack/pack.h"
#include "io/pack/pixel_statistics.h"

namespace convoy {

struct ShardRecord {
  ShardEntry shard;             // 0 images: none could be used, and there is no file
  std::int64_t file_bytes = 0;  // of the shard
  std::vector<std::int64_t> class_counts;
  PixelStatistics::Sums sums;
  std::vector<PackIssue> issues;
};

[[nodiscard]] std::string shard_name(std::int64_t shard);
[[nodiscard]] std::filesystem::path record_path(const std::filesystem::path& output,
                                                std::int64_t shard);

// Written aside, sealed, synced and renamed. `plan` is the fingerprint of the plan. Throws
// Error(resource).
void write_record(const std::filesystem::path& output, std::int64_t shard, const std::string& plan,
                  const ShardRecord& record);

// Nothing where the shard is not finished: it has no record, or one of another plan, or its file is
// not there in full. A damaged record counts as none, with a warning.
[[nodiscard]] std::optional<ShardRecord> read_record(const std::filesystem::path& output,
                                                     std::int64_t shard, const std::string& plan);

}  // namespace convoy
