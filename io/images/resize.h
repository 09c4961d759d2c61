// Brings an image to the square that a dataset stores.
#pragma once

#include <cstdint>
#include <span>

#include "core/cpu/kernels.h"
#include "io/images/image.h"

namespace convoy {

// Scales the image so that its shorter side is `size` and writes the central [size, size, 3] of it
// to `out` (Krizhevsky et al. 2012, section 2). Smaller images are enlarged. The longer side
// becomes size * longer / shorter, rounded down, and an odd number of pixels too many is cut in a
// way that brings the crop to an even place: so do torchvision's Resize and CenterCrop.
//
// The filter is a triangle as wide as the reduction asks for (no aliasing), bilinear where the
// image grows: what Pillow calls BILINEAR. Weights are integers that sum to one exactly and all
// arithmetic is in integers, so every compiler and processor (`isa`, which this one must run) gives
// the same bytes and a constant image stays what it is.
void resize_and_crop(const Image& image, std::int64_t size, std::span<std::uint8_t> out,
                     cpu::Isa isa = cpu::best_isa());

}  // namespace convoy
