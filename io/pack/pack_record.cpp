// Writes and reads the records of finished shards: sealed HDF5 files.
#include "io/pack/pack_record.h"

#include <algorithm>
#include <system_error>
#include <utility>

#include <spdlog/spdlog.h>

#include "core/error.h"
#include "io/files/durable.h"
#include "io/files/hdf5.h"
#include "io/files/seal.h"

namespace convoy {
namespace {

namespace fs = std::filesystem;

ShardRecord read_file(const fs::path& path, const std::string& plan) {
  check_seal(path, ExitCode::bad_data);
  const hdf5::File file = hdf5::File::open(path, ExitCode::bad_data);
  if (file.text("/", "plan") != plan) fail(ExitCode::bad_data, "belongs to another plan");
  ShardRecord record;
  record.shard.file = file.text("/", "shard");
  record.shard.images = file.integer("/", "images");
  record.shard.checksum = static_cast<std::uint32_t>(file.integer("/", "crc32c"));
  record.file_bytes = file.integer("/", "file_bytes");
  record.class_counts = file.read<std::int64_t>("/class_counts");
  record.sums.images = record.shard.images;
  record.sums.pixels = file.read<std::uint64_t>("/pixel_sums");
  const auto products = file.read<std::uint64_t>("/pixel_products");
  std::copy_n(products.begin(), std::min(products.size(), record.sums.products.size()),
              record.sums.products.begin());
  const auto files = file.read_strings("/issues/files");
  const auto whats = file.read_strings("/issues/what");
  const auto left_out = file.read<std::uint8_t>("/issues/left_out");
  for (std::size_t i = 0; i < files.size(); ++i) {
    record.issues.push_back({files[i], left_out.at(i) != 0, whats.at(i)});
  }
  return record;
}

}  // namespace

std::string shard_name(std::int64_t shard) { return fmt::format("shard-{:05}.h5", shard); }

fs::path record_path(const fs::path& output, std::int64_t shard) {
  return output / fmt::format("shard-{:05}.record", shard);
}

void write_record(const fs::path& output, std::int64_t shard, const std::string& plan,
                  const ShardRecord& record) {
  std::vector<std::string> files;
  std::vector<std::string> whats;
  std::vector<std::uint8_t> left_out;
  for (const PackIssue& issue : record.issues) {
    files.push_back(issue.file);
    whats.push_back(issue.what);
    left_out.push_back(issue.left_out ? 1 : 0);
  }
  AsideFile aside(record_path(output, shard));
  hdf5::File file = hdf5::File::create(aside.partial());
  file.set("/", "plan", plan);
  file.set("/", "shard", record.shard.file);
  file.set("/", "images", record.shard.images);
  file.set("/", "crc32c", std::int64_t{record.shard.checksum});
  file.set("/", "file_bytes", record.file_bytes);
  file.write("/class_counts", {std::ssize(record.class_counts)}, record.class_counts.data());
  file.write("/pixel_sums", {std::ssize(record.sums.pixels)}, record.sums.pixels.data());
  file.write("/pixel_products", {std::ssize(record.sums.products)}, record.sums.products.data());
  file.write_strings("/issues/files", files);
  file.write_strings("/issues/what", whats);
  file.write("/issues/left_out", {std::ssize(left_out)}, left_out.data());
  file.close();
  seal_file(aside.partial());
  aside.commit();
}

std::optional<ShardRecord> read_record(const fs::path& output, std::int64_t shard,
                                       const std::string& plan) {
  const fs::path path = record_path(output, shard);
  std::error_code error;
  if (!fs::exists(path, error)) return std::nullopt;
  try {
    ShardRecord record = read_file(path, plan);
    const bool whole =
        record.shard.images == 0 ||
        std::cmp_equal(fs::file_size(output / record.shard.file, error), record.file_bytes);
    if (whole && !error) return record;
    spdlog::warn("{} is not there in full and is packed again",
                 (output / record.shard.file).string());
  } catch (const Error& problem) {
    spdlog::warn("{} is packed again, for its record cannot be used: {}", shard_name(shard),
                 problem.what());
  }
  return std::nullopt;
}

}  // namespace convoy
