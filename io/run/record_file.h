// Files of records, each framed by its length and checksums, as TensorFlow's: uint64 length, masked
// CRC-32C of the length, the record, masked CRC-32C of the record; all little-endian.
#pragma once

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>

namespace convoy {

// The checksum as frames hold it: rotated and shifted, so that a record which holds a frame has
// another checksum than that in the frame.
[[nodiscard]] std::uint32_t masked_crc32c(std::string_view bytes);

// A record in its frame.
[[nodiscard]] std::string framed(std::string_view record);

// Reads a file from its beginning, as far as it is whole.
class RecordReader {
 public:
  // Throws Error(resource) where the file cannot be read.
  explicit RecordReader(const std::filesystem::path& path);
  // Takes the next record; false at the end, and where a frame is cut short or damaged.
  [[nodiscard]] bool next(std::string& record);
  // Bytes of the file up to the end of the record that was taken last.
  [[nodiscard]] std::uint64_t end() const { return end_; }

 private:
  std::ifstream in_;
  std::uint64_t bytes_ = 0;  // of the file
  std::uint64_t end_ = 0;
};

}  // namespace convoy
