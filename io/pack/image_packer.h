// Decodes a shard's images and brings them to the form in which it stores them, on several threads.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "io/dataset/shard.h"
#include "io/files/page_memory.h"
#include "io/pack/pack_source.h"
#include "io/pack/pixel_statistics.h"

namespace convoy {

struct PackedShard {
  PageBytes stored;                  // what content.images points to
  ShardContent content;              // without those images that could not be used
  PixelStatistics::Sums statistics;  // over the pixels before any JPEG compression
  std::vector<PackIssue> issues;
};

class ImagePacker {
 public:
  ImagePacker(const PackSource& source, const PackOptions& options, int threads);

  // Packs these images of the source, in this order. `progress` is called from the calling thread
  // with the number of images done. The result does not depend on the number of threads, nor on
  // `memory`, which it takes for the images: that of an earlier shard has its pages already.
  [[nodiscard]] PackedShard pack(std::span<const std::uint32_t> images,
                                 const std::function<void(std::int64_t)>& progress,
                                 PageBytes memory = {});

 private:
  struct Outcome {
    bool packed = false;
    std::uint32_t checksum = 0;      // CRC-32C of the image as it is stored
    std::vector<std::uint8_t> jpeg;  // empty where pixels are stored
    std::vector<PackIssue> issues;
  };
  void decode(std::span<const std::uint32_t> images, std::vector<Outcome>& outcomes,
              PixelStatistics& total, const std::function<void(std::int64_t)>& progress);
  [[nodiscard]] Outcome decode_image_of(std::uint32_t image, std::span<std::uint8_t> square) const;
  [[nodiscard]] std::span<std::uint8_t> room(std::size_t place);
  void store(std::size_t place, Outcome& outcome, ShardContent& content);

  const PackSource& source_;
  Encoding encoding_;
  int jpeg_quality_;
  std::int64_t size_;
  std::size_t image_bytes_;
  std::size_t threads_;
  PageBytes stored_;  // raw: [images, S, S, 3]; JPEG: file after file
};

}  // namespace convoy
