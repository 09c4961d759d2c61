// Decodes image files to the squares that a shard stores, on several threads.
#pragma once

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <span>
#include <vector>

#include "io/class_folders.h"
#include "io/pack.h"
#include "io/pixel_statistics.h"

namespace convoy {

class ImagePacker {
 public:
  ImagePacker(std::filesystem::path input, std::int64_t size, int threads);

  struct Outcome {
    bool packed = false;
    std::uint32_t checksum = 0;  // CRC-32C of the square
    std::vector<PackIssue> issues;
  };
  // Decodes files[i] into the square squares[i], [size, size, 3]; where outcome i is not packed,
  // the square's bytes mean nothing. `progress` is called from the calling thread with the number
  // of files done. What is decoded does not depend on the number of threads.
  [[nodiscard]] std::vector<Outcome> decode(std::span<const ImageFile> files,
                                            std::span<std::uint8_t> squares,
                                            const std::function<void(std::int64_t)>& progress);

  // Over all squares packed so far.
  [[nodiscard]] PixelStatistics statistics() const;

 private:
  [[nodiscard]] Outcome decode_file(const ImageFile& file, std::span<std::uint8_t> square) const;

  std::filesystem::path input_;
  std::int64_t size_;
  std::vector<PixelStatistics> statistics_;  // one a thread
};

}  // namespace convoy
