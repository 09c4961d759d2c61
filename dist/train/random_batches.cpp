// Draws pixels, mirrors and labels place by place.
#include "dist/train/random_batches.h"

#include <algorithm>

#include "core/random.h"

namespace convoy {

RandomBatches::RandomBatches(Device& device, Range slice, std::int64_t size, std::int64_t classes,
                             std::uint64_t seed, int batches) {
  const RandomSource source(seed, Purpose::synthetic);
  const auto image_bytes = static_cast<std::size_t>(size * size * 3);
  for (std::uint32_t number = 0; number < static_cast<std::uint32_t>(batches); ++number) {
    Drawn drawn;
    drawn.crops = device.allocate_host(static_cast<std::size_t>(slice.size()) * image_bytes);
    auto* pixels = static_cast<std::uint8_t*>(drawn.crops.data());
    for (std::int64_t image = slice.begin; image < slice.end; ++image, pixels += image_bytes) {
      const auto place = static_cast<std::uint32_t>(image);
      for (std::size_t i = 0; i < image_bytes; i += 16) {
        const PhiloxBlock words =
            source.block(2 * number, place, static_cast<std::uint32_t>(i / 16));
        for (std::size_t j = 0; j < std::min<std::size_t>(16, image_bytes - i); ++j)
          pixels[i + j] = static_cast<std::uint8_t>(words[j / 4] >> (8 * (j % 4)));
      }
      const PhiloxBlock words = source.block(2 * number + 1, place, 0);
      drawn.labels.push_back(
          static_cast<std::int32_t>(below(words[0], static_cast<std::uint32_t>(classes))));
      CropRecord record;
      record.mirror = static_cast<std::int32_t>(words[1] & 1);
      drawn.records.push_back(record);
    }
    batches_.push_back(std::move(drawn));
  }
}

Batch RandomBatches::batch(std::int64_t step) const {
  const Drawn& drawn = batches_[static_cast<std::size_t>(step) % batches_.size()];
  return {step, static_cast<const std::uint8_t*>(drawn.crops.data()), drawn.labels.data(),
          drawn.records};
}

}  // namespace convoy
