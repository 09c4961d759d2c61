// Brings an image to the square that a dataset stores.
#pragma once

#include <cstdint>
#include <span>

#include "io/images/image.h"

namespace convoy {

// Scales the image so that its shorter side is `size` and writes the central [size, size, 3] of it
// to `out` (Krizhevsky et al. 2012, section 2). Smaller images are enlarged.
//
// The filter is a triangle as wide as the reduction asks for (no aliasing), bilinear where the
// image grows: what Pillow calls BILINEAR. Weights are integers that sum to one exactly and all
// arithmetic is in integers, so every compiler and processor gives the same bytes and a constant
// image stays what it is.
void resize_and_crop(const Image& image, std::int64_t size, std::span<std::uint8_t> out);

}  // namespace convoy
