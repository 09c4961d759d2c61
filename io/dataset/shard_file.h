// The file of a shard, whose bytes are read at given places past HDF5 and its one mutex.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <memory>

#include "io/dataset/dataset.h"
#include "io/files/descriptor.h"
#include "io/files/mapped_copy.h"

namespace convoy {

// Memory that direct reads can fill, which a thread keeps from one read to the next.
class ReadBuffer {
 public:
  // Places that direct reads begin, end and lie at are multiples of it; shards are laid out so.
  static constexpr std::int64_t alignment = 4096;
  // At least `bytes`, aligned; what was in it is lost when it grows.
  std::uint8_t* reserve(std::int64_t bytes);

 private:
  struct Free {
    void operator()(std::uint8_t* memory) const { std::free(memory); }
  };
  std::unique_ptr<std::uint8_t, Free> memory_;
  std::int64_t bytes_ = 0;
};

class ShardFile {
 public:
  ShardFile() = default;  // of no use
  // Throws Error(bad_data) for a file that cannot be opened, Error(resource) where too many are
  // open, Error(usage) where the file system refuses direct reads.
  ShardFile(const std::filesystem::path& path, ReadMode mode);

  [[nodiscard]] bool valid() const { return file_.valid(); }
  [[nodiscard]] std::int64_t bytes() const { return bytes_; }  // when it was opened
  // The bytes [begin, begin + count), which stay in `buffer` until its next use. `image`, whose
  // bytes they are, is for messages. Thread-safe. Throws Error(bad_data) where they cannot be read.
  const std::uint8_t* read(std::int64_t image, std::int64_t begin, std::int64_t count,
                           ReadBuffer& buffer) const;
  // Copies `rows` runs of `row_bytes`, `stride` bytes apart from `begin` on, one behind the other
  // to `out`: from the page cache without a detour, which is twice as quick as read(). False where
  // that cannot be; read() can, or says why not. Thread-safe.
  [[nodiscard]] bool copy_rows(std::int64_t begin, std::int64_t rows, std::int64_t row_bytes,
                               std::int64_t stride, std::uint8_t* out) const;
  // Asks the system to bring these bytes into the page cache, without waiting.
  void read_ahead(std::int64_t begin, std::int64_t count) const;

 private:
  std::filesystem::path path_;
  ReadMode mode_ = ReadMode::cached;
  Descriptor file_;
  std::int64_t bytes_ = 0;
  Mapping mapping_;  // where reads are cached
};

}  // namespace convoy
