// The bytes of a file of weights, read by position.
#pragma once

#include <cstdint>
#include <filesystem>

#include "io/files/descriptor.h"

namespace convoy {

class ModelBytes {
 public:
  // Throws Error(bad_checkpoint) for a file that is missing or cannot be read.
  explicit ModelBytes(std::filesystem::path path);
  [[nodiscard]] const std::filesystem::path& path() const { return path_; }
  [[nodiscard]] int descriptor() const { return file_.get(); }
  [[nodiscard]] std::uint64_t size() const { return size_; }
  // [begin, begin + count) must lie inside size(). Throws Error(bad_checkpoint) where the file has
  // become shorter meanwhile.
  void read(std::uint64_t begin, std::uint64_t count, void* to) const;

 private:
  std::filesystem::path path_;
  Descriptor file_;
  std::uint64_t size_ = 0;
};

}  // namespace convoy
