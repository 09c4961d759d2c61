// The decoders behind io/images/image.h, one a file format.
#pragma once

#include <cstdint>
#include <span>

#include "io/images/image.h"

namespace convoy {

[[nodiscard]] DecodedImage decode_jpeg(std::span<const std::uint8_t> bytes, std::int64_t enough);
[[nodiscard]] DecodedImage decode_png(std::span<const std::uint8_t> bytes);

// Throws Error(bad_data) where an image of that size is empty or more than anyone means to train
// on.
void check_image_size(std::int64_t width, std::int64_t height);

}  // namespace convoy
