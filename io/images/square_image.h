// An image file as datasets hold it: decoded, its shorter side brought to a size, the centre cut
// out. Packing and prediction both go through here, so that a net sees one image the same way.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "io/images/image.h"

namespace convoy {

struct SquareNotes {
  ImageFormat format = ImageFormat::jpeg;
  std::vector<std::string> notes;  // DecodedImage::notes
};

// Writes square [size, size, 3] RGB from the bytes of a JPEG or PNG file. Throws what decode_image
// throws.
SquareNotes make_square(std::span<const std::uint8_t> bytes, std::int64_t size,
                        std::span<std::uint8_t> square);

}  // namespace convoy
