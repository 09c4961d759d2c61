// A shard open for reading (its format: io/dataset/shard.h), Convoy's own or made by other tools.
//
// Images that lie contiguously in the file, as Convoy writes them, are read by position and by any
// number of threads at once. Chunked or compressed ones are read through HDF5, one thread at a
// time.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <vector>

#include "io/dataset/dataset.h"
#include "io/dataset/shard_file.h"
#include "io/files/hdf5.h"

namespace convoy {

// What the index says of a shard.
struct ShardFacts {
  std::int64_t images = 0;
  std::int64_t image_size = 0;  // S
  std::int64_t classes = 0;
  Encoding encoding = Encoding::raw;
};

class ShardReader {
 public:
  // Throws Error(bad_data) for a file that is missing, cut short, not a shard, of another encoding,
  // of other extents or types than the facts say, with offsets that are no offsets, or with a label
  // outside [0, classes). Any integer type of labels, any storage and missing ids and checksums are
  // accepted. Throws Error(usage) where `mode` cannot be honoured.
  ShardReader(const std::filesystem::path& path, const ShardFacts& facts,
              ReadMode mode = ReadMode::cached);

  [[nodiscard]] const std::filesystem::path& path() const { return path_; }
  [[nodiscard]] std::int64_t images() const { return facts_.images; }
  [[nodiscard]] const std::vector<std::int32_t>& labels() const { return labels_; }
  // Empty in shards made without.
  [[nodiscard]] const std::vector<std::uint32_t>& checksums() const { return checksums_; }
  // True where the storage is chunked or compressed.
  [[nodiscard]] bool through_hdf5() const { return hdf5_.has_value(); }

  // How many bytes image `row` has as it is stored.
  [[nodiscard]] std::int64_t stored_bytes(std::int64_t row) const;
  // Bytes [begin, begin + count) of image `row` as it is stored; they stay in `buffer` until its
  // next use. Thread-safe. Throws Error(bad_data).
  const std::uint8_t* read(std::int64_t row, std::int64_t begin, std::int64_t count,
                           ReadBuffer& buffer) const;
  // See ShardFile; `begin` counts from the first byte of image `row`.
  [[nodiscard]] bool copy_rows(std::int64_t row, std::int64_t begin, std::int64_t rows,
                               std::int64_t row_bytes, std::int64_t stride,
                               std::uint8_t* out) const;
  // Asks the system for the images of these rows, without waiting; does nothing through HDF5.
  void read_ahead(Range rows) const;

 private:
  void check_encoding() const;
  hdf5::Layout check_images() const;
  hdf5::Layout check_bytes();
  void open_file(const hdf5::Layout& layout, ReadMode mode);
  void read_labels();
  void read_checksums();
  [[nodiscard]] std::int64_t begin_of(std::int64_t row) const;  // counted from the first image

  std::filesystem::path path_;
  ShardFacts facts_;
  std::optional<hdf5::File> hdf5_;      // kept open only where HDF5 has to read
  ShardFile file_;                      // otherwise
  std::int64_t offset_ = 0;             // of the first image in the file
  std::vector<std::uint64_t> offsets_;  // [images + 1] of JPEG images; empty for raw ones
  std::vector<std::int32_t> labels_;
  std::vector<std::uint32_t> checksums_;
};

// The labels of a shard of so many images, of any integer type and any value.
[[nodiscard]] std::vector<std::int64_t> read_shard_labels(const hdf5::File& file,
                                                          std::int64_t images);

}  // namespace convoy
